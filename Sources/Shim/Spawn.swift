import CLinux

/// An overlay to be mounted by a child before it executes; or a plain directory, `upper` alone.
struct Overlay {
  var lower: [Bytes] = []
  var upper = Bytes()
  var work = Bytes()
  var options: [Bytes] = []
  var target = Bytes()

  var isPlain: Bool { lower.isEmpty && options.isEmpty && work.isEmpty && !upper.isEmpty }
}

/// What a child executes, and where.
struct Program {
  var arguments: [Bytes]
  var directory: Bytes?
  /// Decimal oom_score_adj; nil for the shim's own, which protects it from being killed.
  var score: Bytes?
  /// Descriptors for the child; -1 is /dev/null. They stay the caller's.
  var input: Int32 = -1
  var output: Int32 = -1
  var error: Int32 = -1
  var rootfs: Overlay?
  /// Told by all its descendants; 0 for none.
  var mark: UInt64 = 0
}

/// A child that was started, and the pipe it reports on if it cannot execute.
struct Spawned {
  let pid: Int32
  let pidfd: Int32
  let report: Int32
}

extension Program {
  func spawn() throws(SystemFailure) -> Spawned {
    var pidfd: Int32 = -1
    var report: Int32 = -1
    let pid = rootfs.map { spawn(mounting: $0, &pidfd, &report) } ?? spawn(rootfs: nil, &pidfd, &report)
    guard pid > 0 else { throw SystemFailure("clone3", arguments[0]) }
    return Spawned(pid: pid, pidfd: pidfd, report: report)
  }

  private func spawn(mounting overlay: Overlay, _ pidfd: inout Int32, _ report: inout Int32) -> Int32 {
    let writable = !overlay.upper.isEmpty
    let single: [Bytes?] = [overlay.target, writable ? overlay.upper : nil, writable ? overlay.work : nil]
    return withCStrings(single + (overlay.lower + overlay.options).map(Optional.some)) { strings in
      var mount = shim_overlay()
      mount.target = strings[0]
      mount.upper = strings[1]
      mount.work = strings[2]
      mount.lower = strings + 3
      mount.lower_count = UInt32(overlay.lower.count)
      mount.options = strings + 3 + overlay.lower.count
      mount.option_count = UInt32(overlay.options.count)
      return withUnsafePointer(to: mount) { spawn(rootfs: $0, &pidfd, &report) }
    }
  }

  private func spawn(rootfs: UnsafePointer<shim_overlay>?, _ pidfd: inout Int32, _ report: inout Int32) -> Int32 {
    withCStrings([directory, score] + arguments.map(Optional.some) + [nil]) { strings in
      var request = shim_spawn()
      request.directory = strings[0]
      request.oom_score = strings[1]
      request.argv = strings + 2
      request.input = input
      request.output = output
      request.error = error
      request.rootfs = rootfs
      request.mark = mark
      return shim_spawn(&request, &pidfd, &report)
    }
  }
}

/// What a child said before it gave up.
struct ChildFailure {
  let stage: Int32
  let error: Int32
  let index: Int
  let text: Bytes

  /// Nil where the child said nothing, or something else. Call it after the child's end.
  init?(report: Int32) {
    var content = Bytes()
    _ = Files.appendChunk(report, &content, size: MemoryLayout<shim_failure>.size)
    self.init(content)
  }

  init?(_ content: Bytes) {
    guard content.count == MemoryLayout<shim_failure>.size else { return nil }
    let failure = content.withUnsafeBytes { $0.loadUnaligned(as: shim_failure.self) }
    stage = failure.stage
    error = failure.error
    index = Int(failure.index)
    let words = content.dropFirst(12)
    text = Bytes(words.prefix(while: { $0 != 0 }))
  }

  /// `: No such file or directory`, with the kernel's own words where it had some.
  var cause: Bytes { ": " + Bytes(errno: error) + (text.isEmpty ? Bytes() : " (" + text + ")") }
}
