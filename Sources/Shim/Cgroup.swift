import CLinux

/// Where the cgroup hierarchies are mounted, v1, v2 or both.
struct CgroupHierarchies {
  var unified: Bytes?
  var memoryV1: Bytes?
  var all: [Bytes] = []

  /// Reads /proc/self/mountinfo: `… <mount point> <options> … - <type> <source> <super options>`.
  static func detect() -> CgroupHierarchies {
    var found = CgroupHierarchies()
    for line in (Files.read(Bytes("/proc/self/mountinfo"), last: 4 << 20) ?? []).split(separator: 10) {
      let fields = line.split(separator: 32)
      guard let dash = fields.firstIndex(where: { $0.elementsEqual([45]) }), dash + 3 < fields.count, dash > 4 else { continue }
      found.note(type: Bytes(fields[dash + 1]), point: Bytes(fields[4]), options: Bytes(fields[dash + 3]))
    }
    return found
  }

  private mutating func note(type: Bytes, point: Bytes, options: Bytes) {
    if type.matches("cgroup2") {
      unified = unified ?? point
    } else if type.matches("cgroup") {
      if options.split(separator: 44).contains(where: { Bytes($0).matches("memory") }) { memoryV1 = memoryV1 ?? point }
    } else {
      return
    }
    all.append(point)
  }
}

/// One container's cgroup in all hierarchies.
struct Cgroup {
  /// Relative to the roots; empty for none.
  let path: Bytes
  let hierarchies: CgroupHierarchies

  private func directory(_ root: Bytes) -> Bytes { root + (path.first == 47 ? [] : [47]) + path }

  private var directories: [Bytes] { path.isEmpty ? [] : hierarchies.all.map { directory($0) }.filter { Files.exists($0) } }

  /// Processes killed for lack of memory since the cgroup was made, those of cgroups below included.
  var oomKills: Int64 {
    guard !path.isEmpty else { return 0 }
    if let root = hierarchies.memoryV1 { return oomKillsV1(directory(root)) }
    return hierarchies.unified.map { Self.value("oom_kill", in: directory($0) + "/memory.events") } ?? 0
  }

  private func oomKillsV1(_ directory: Bytes) -> Int64 {
    let own = Self.value("oom_kill", in: directory + "/memory.oom_control")
    return Files.names(directory, directories: true).reduce(own) { $0 + oomKillsV1(directory + "/" + $1) }
  }

  /// `key value` lines.
  private static func value(_ key: StaticString, in path: Bytes) -> Int64 {
    for line in (Files.read(path) ?? []).split(separator: 10) {
      let words = line.split(separator: 32)
      if words.count == 2, Bytes(words[0]).matches(key) { return Bytes(words[1]).number ?? 0 }
    }
    return 0
  }

  /// Every process in it, by any hierarchy, each once.
  var processes: [Int32] {
    var found: [Int32] = []
    for directory in directories { collect(directory, &found) }
    return found
  }

  private func collect(_ directory: Bytes, _ found: inout [Int32]) {
    for line in (Files.read(directory + "/cgroup.procs", last: 4 << 20) ?? []).split(separator: 10) {
      if let pid = Bytes(line).number, pid > 0, !found.contains(Int32(truncatingIfNeeded: pid)) {
        found.append(Int32(truncatingIfNeeded: pid))
      }
    }
    for name in Files.names(directory, directories: true) { collect(directory + "/" + name, &found) }
  }

  /// Signals all that is in it and says whether anything was. A number is signalled through a descriptor, and only where the cgroup still lists
  /// it after that was opened: it may have been reused in between.
  @discardableResult
  func signal(_ number: Int32, except spared: [Int32] = []) -> Bool {
    let targets = processes.filter { !spared.contains($0) }
    guard !targets.isEmpty, !targets.contains(getpid()) else { return false }
    if number == SIGKILL && spared.isEmpty { killUnified() }
    let descriptors = targets.map { clinux_pidfd_open($0, 0) }
    let still = processes
    for (pid, fd) in zip(targets, descriptors) where fd >= 0 {
      if still.contains(pid) { _ = clinux_pidfd_send_signal(fd, number) }
      close(fd)
    }
    return true
  }

  private func killUnified() {
    guard let root = hierarchies.unified, !path.isEmpty else { return }
    let fd = (directory(root) + "/cgroup.kill").withCString { clinux_openat(AT_FDCWD, $0, O_WRONLY | O_CLOEXEC, 0) }
    guard fd >= 0 else { return }
    _ = Files.writeAll(fd, Bytes("1"))
    close(fd)
  }

  /// What the runtime left behind, deepest first.
  func remove() { for directory in directories { remove(directory) } }

  private func remove(_ directory: Bytes) {
    for name in Files.names(directory, directories: true) { remove(directory + "/" + name) }
    _ = directory.withCString { rmdir($0) }
  }
}
