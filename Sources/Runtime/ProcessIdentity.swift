import CLinux

/// A process by its number and start, so that another of the same number is not taken for it.
struct ProcessIdentity {
  var pid: Int32 = 0
  /// Clock ticks since boot; 0 for none.
  var start: Int64 = 0

  init() {}

  init(of pid: Int32) {
    self.pid = pid
    start = Self.start(of: pid)
  }

  /// What a program that this process ran has left running (`foreign_run`); none where it has left nothing.
  static var leftRunning: ProcessIdentity {
    for word in (Files.read(Bytes("/proc/thread-self/children")) ?? []).split(separator: 32) {
      let found = ProcessIdentity(of: Int32(truncatingIfNeeded: Bytes(word).number ?? 0))
      if found.start > 0 { return found }
    }
    return ProcessIdentity()
  }

  /// Field 22 of /proc/PID/stat; the name in it may hold anything, parentheses too.
  private static func start(of pid: Int32) -> Int64 {
    guard pid > 0, let stat = Files.read("/proc/" + Bytes(decimal: pid) + "/stat"), let close = stat.lastIndex(of: 41) else { return 0 }
    let words = stat[(close + 1)...].split(separator: 32)
    return words.count > 19 && !words[0].elementsEqual([90]) ? Bytes(words[19]).number ?? 0 : 0
  }

  var isAlive: Bool { start > 0 && Self.start(of: pid) == start }

  /// Through a descriptor: it stays the same process between the look and the signal.
  func kill() {
    let pidfd = start > 0 ? clinux_pidfd_open(pid, 0) : -1
    guard pidfd >= 0 else { return }
    if isAlive { _ = clinux_pidfd_send_signal(pidfd, SIGKILL) }
    close(pidfd)
  }

  /// Whether it was gone in time.
  func ends(within milliseconds: Int64) -> Bool {
    let deadline = shim_monotonic() + milliseconds * 1_000_000
    while isAlive {
      if shim_monotonic() > deadline { return false }
      usleep(5_000)
    }
    return true
  }
}
