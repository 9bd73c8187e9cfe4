import CLinux

/// Knows every child that somebody waits for, and reaps the orphans that come to the shim as subreaper.
final class Reaper {
  let loop: EventLoop
  private var known: [Int32] = []
  /// Runs of the runtime that will tell only at their end which process they made. Until then no stranger may be reaped: its status would be
  /// lost, and its number could be taken by another.
  private var introductions = 0

  init(loop: EventLoop) {
    self.loop = loop
    let signals = shim_child_signals()
    loop.watch(signals) { _ in
      shim_drain_signals(signals)
      self.reapOrphans()
    }
  }

  func expectIntroduction() { introductions += 1 }

  func introductionOver() {
    introductions -= 1
    reapOrphans()
  }

  fileprivate func add(_ pid: Int32) { known.append(pid) }

  fileprivate func remove(_ pid: Int32) {
    known.removeAll { $0 == pid }
    reapOrphans()
  }

  /// Stops at an ended child that is known: its own descriptor is about to tell of it, and then this runs again.
  private func reapOrphans() {
    while introductions == 0 {
      let pid = shim_ended_child()
      guard pid > 0, !known.contains(pid) else { return }
      shim_discard_child(pid)
    }
  }
}

/// A child known by a descriptor, so that its number can never mean another process.
final class Process {
  private static let patience: Int64 = 5_000

  let pid: Int32
  private let pidfd: Int32
  private let reaper: Reaper
  private var ended: ((Int32) -> Void)?
  /// It is berth-runtime's, and stands for a process of another's shim.
  private var standsIn = false

  /// `ended` hears the exit code, 128 + signal for a signal, as soon as the process is reaped. It must be a child of the shim.
  init(pid: Int32, pidfd: Int32, reaper: Reaper, ended: @escaping (Int32) -> Void) {
    self.pid = pid
    self.pidfd = pidfd
    self.reaper = reaper
    self.ended = ended
    reaper.add(pid)
    reaper.loop.watch(pidfd) { _ in self.reap() }
  }

  /// From the file that the runtime wrote its child's number to; nil where that is no child of the shim.
  convenience init?(pidFile: Bytes, reaper: Reaper, ended: @escaping (Int32) -> Void) {
    guard let number = Files.read(pidFile)?.number, number > 1, number < Int64(Int32.max) else { return nil }
    let pidfd = clinux_pidfd_open(Int32(number), 0)
    guard pidfd >= 0 else { return nil }
    guard shim_is_child(pidfd) == 1 else {
      close(pidfd)
      return nil
    }
    self.init(pid: Int32(number), pidfd: pidfd, reaper: reaper, ended: ended)
    standsIn = ForeignRuntime.isUsed
  }

  var isRunning: Bool { ended != nil }

  /// Whether it was still there to be signalled.
  @discardableResult
  func signal(_ number: Int32) -> Bool {
    guard isRunning else { return false }
    return number == SIGKILL && standsIn ? endOther() : clinux_pidfd_send_signal(pidfd, number) == 0
  }

  /// The end of what it stands for is its own. Only where that does not come is it killed itself.
  private func endOther() -> Bool {
    reaper.loop.after(milliseconds: Self.patience) { if self.isRunning { _ = clinux_pidfd_send_signal(self.pidfd, SIGKILL) } }
    return sigqueue(pid, SIGUSR2, sigval()) == 0
  }

  /// Its whole process group; the leader is unreaped, so the number is still its own.
  func signalGroup(_ number: Int32) { if isRunning && !standsIn { _ = kill(-pid, number) } }

  private func reap() {
    var code: Int32 = 255
    let result = shim_reap(pidfd, &code)
    guard result != 0, let ended else { return }
    self.ended = nil
    reaper.loop.unwatch(pidfd)
    close(pidfd)
    reaper.remove(pid)
    ended(code)
  }
}
