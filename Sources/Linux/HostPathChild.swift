import CLinux

/// What a disposable child found at a path that is not ours.
package struct HostPath: Hashable, Sendable {
  /// Without symlinks; the path as it was given where nothing is there.
  package var resolved: String
  /// S_IF* bits; 0 where nothing is there.
  package var type: UInt32

  package var exists: Bool { type != 0 }
  package var isDirectory: Bool { type == 0o040000 }
}

/// What the child is to do with one path.
package enum HostPathJob: Hashable, Sendable {
  case look(String)
  /// Makes the directory, its parents included, where nothing is there.
  case make(String)
  /// The same two below a directory, which is the root for every symlink on the way.
  case lookBelow(String, root: String)
  case makeBelow(String, root: String)
  /// ID-mapped, with all that is mounted below it. `target` exists and is of the same kind.
  case map(String, target: String, Propagation)

  /// With all below it. A symlink is labelled itself.
  case label(String, String)
  /// As ``label``, where the path itself has another one: what is below is taken on trust.
  case labelUnlessThere(String, String)

  package enum Propagation: Hashable, Sendable {
    case isPrivate, slave, unchanged
  }

  var path: String {
    switch self {
    case .look(let path), .make(let path), .lookBelow(let path, _), .makeBelow(let path, _), .map(let path, _, _), .label(let path, _),
      .labelUnlessThere(let path, _):
      path
    }
  }
}

/// A path did not answer in time: its server is dead, most likely.
package struct HostPathTimeout: Error, Sendable {
  package let path: String
}

/// Work on host paths that may hang for ever, such as volumes of a dead NFS server: done by a process that is given up when it takes too long.
package enum HostPathChild {
  /// One answer a job, in order. Throws ``HostPathTimeout``, or the ``SystemError`` of the first job that failed; that nothing is at a path is no failure.
  package static func run(_ jobs: [HostPathJob], userNamespace: borrowing FileHandle? = nil, within limit: Duration) async throws
    -> [HostPath]
  {
    guard !jobs.isEmpty else { return [] }
    let descriptor: Int32 =
      switch userNamespace {
      case .some(let handle): handle.raw
      case .none: -1
      }
    return try await BlockingWork.run { try work(jobs, descriptor, limit) }
  }

  /// As ``run(_:userNamespace:within:)``, on a thread that may block for so long.
  package static func runHere(_ jobs: [HostPathJob], within limit: Duration) throws -> [HostPath] {
    jobs.isEmpty ? [] : try work(jobs, -1, limit)
  }

  private static func work(_ jobs: [HostPathJob], _ descriptor: Int32, _ limit: Duration) throws -> [HostPath] {
    let child = try start(jobs, descriptor)
    let process = child.process
    defer {
      // Before anyone hears that it takes too long, and removes what it works on.
      process.kill()
      Task.detached { await retire(process) }
    }
    return try collect(jobs, child.report, ContinuousClock.now + limit)
  }

  private struct Child {
    let process: Pidfd
    let report: Int32
  }

  /// A child that sleeps in the kernel dies when the kernel lets it; nobody waits for that.
  private static func retire(_ process: Pidfd) async {
    await process.ended()
    _ = try? process.reap()
  }

  private static func start(_ jobs: [HostPathJob], _ descriptor: Int32) throws(SystemError) -> Child {
    var pidfd: Int32 = -1
    var report: Int32 = -1
    let strings = jobs.map { strdup($0.path) }
    let targets = jobs.map { job -> UnsafeMutablePointer<CChar>? in
      switch job {
      case .map(_, let target, _), .label(_, let target), .labelUnlessThere(_, let target), .lookBelow(_, let target),
        .makeBelow(_, let target):
        strdup(target)
      case .look, .make: nil
      }
    }
    defer { for string in strings + targets { free(string) } }
    let plan = jobs.indices.map {
      clinux_path_job(verb: jobs[$0].verb, path: strings[$0], target: targets[$0], propagation: jobs[$0].propagationFlag)
    }
    let pid = try check("clone3", "to look at host paths") { clinux_path_child(plan, Int32(plan.count), descriptor, &pidfd, &report) }
    return Child(process: Pidfd(pid: pid, owning: pidfd), report: report)
  }

  private static func collect(_ jobs: [HostPathJob], _ descriptor: Int32, _ deadline: ContinuousClock.Instant) throws -> [HostPath] {
    let pipe = FileHandle(owning: descriptor)
    var found: [HostPath] = []
    var failure: SystemError?
    for job in jobs {
      guard let report = try next(pipe.raw, deadline) else { throw HostPathTimeout(path: job.path) }
      let missing = report.error == ENOENT || report.error == ENOTDIR
      if report.error != 0, !missing || !job.onlyLooks {
        failure = failure ?? SystemError(report.error, call: job.stage, object: job.path)
      }
      found.append(HostPath(report, job.path))
    }
    if let failure { throw failure }
    return found
  }

  /// Nil at the deadline.
  private static func next(_ descriptor: Int32, _ deadline: ContinuousClock.Instant) throws(SystemError) -> clinux_path_report? {
    var report = clinux_path_report()
    var done = 0
    let size = MemoryLayout<clinux_path_report>.size
    while done < size {
      let left = ContinuousClock.now.duration(to: deadline).components
      let milliseconds = left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000
      var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      if milliseconds <= 0 || poll(&entry, 1, Int32(clamping: milliseconds)) == 0 { return nil }
      let count = try check("read") { withUnsafeMutableBytes(of: &report) { read(descriptor, $0.baseAddress! + done, size - done) } }
      if count == 0 { throw SystemError(ECHILD, call: "looking at host paths") }
      done += count
    }
    return report
  }
}

extension HostPath {
  fileprivate init(_ report: clinux_path_report, _ path: String) {
    type = clinux_file_type(report.mode)
    var report = report
    let resolved = withUnsafeBytes(of: &report.resolved) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    self.resolved = resolved.isEmpty ? path : resolved
  }
}

extension HostPathJob {
  fileprivate var onlyLooks: Bool {
    switch self {
    case .look, .lookBelow: true
    default: false
    }
  }

  fileprivate var verb: Int32 {
    switch self {
    case .look: Int32(CLINUX_PATH_LOOK.rawValue)
    case .make: Int32(CLINUX_PATH_MAKE.rawValue)
    case .lookBelow: Int32(CLINUX_PATH_LOOK_BELOW.rawValue)
    case .makeBelow: Int32(CLINUX_PATH_MAKE_BELOW.rawValue)
    case .map: Int32(CLINUX_PATH_MAP.rawValue)
    case .label: Int32(CLINUX_PATH_LABEL.rawValue)
    case .labelUnlessThere: Int32(CLINUX_PATH_LABEL_UNLESS_THERE.rawValue)
    }
  }

  fileprivate var stage: String {
    switch self {
    case .look, .lookBelow: "stat"
    case .make, .makeBelow: "mkdir"
    case .map: "ID-mapped mount of"
    case .label, .labelUnlessThere: "SELinux label of"
    }
  }

  fileprivate var propagationFlag: UInt64 {
    guard case .map(_, _, let propagation) = self else { return 0 }
    return switch propagation {
    case .isPrivate: UInt64(MS_PRIVATE)
    case .slave: UInt64(MS_SLAVE)
    case .unchanged: 0
    }
  }
}
