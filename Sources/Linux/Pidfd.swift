import CLinux
import Synchronization

/// How a process ended.
package enum ExitStatus: Sendable, Hashable {
  case exited(Int32)
  case signalled(Int32)

  /// As shells say it: 128 and the signal's number for a signal.
  package var code: Int32 {
    switch self {
    case .exited(let code): code
    case .signalled(let signal): 128 + signal
    }
  }
}

/// A process that cannot be mistaken for a later one with the same number. Works for children and for any other process.
package final class Pidfd: Sendable {
  package let pid: Int32
  private let handle: FileHandle
  private let waiters = Mutex(Waiters())

  private struct Waiters {
    var continuations: [UInt64: CheckedContinuation<Void, Never>] = [:]
    var cancelled: Set<UInt64> = []
    var next: UInt64 = 0
    var watched = false
    var ended = false
  }

  package init(pid: Int32, owning descriptor: Int32) {
    self.pid = pid
    self.handle = FileHandle(owning: descriptor)
  }

  /// ESRCH where no such process exists.
  package static func open(_ pid: Int32) throws(SystemError) -> Pidfd {
    let descriptor = try check("pidfd_open", "\(pid)") { clinux_pidfd_open(pid, 0) }
    return Pidfd(pid: pid, owning: descriptor)
  }

  package var descriptor: Int32 { handle.raw }

  /// ESRCH where it has ended already.
  package func signal(_ number: Int32) throws(SystemError) {
    try check("pidfd_send_signal", "\(pid)") { clinux_pidfd_send_signal(handle.raw, number) }
  }

  /// True for a zombie, too: what it did is over.
  package var hasEnded: Bool { ended(within: 0) }

  /// Blocks the calling thread up to `milliseconds` (-1: for ever).
  package func ended(within milliseconds: Int32) -> Bool {
    var entry = pollfd(fd: handle.raw, events: Int16(POLLIN), revents: 0)
    return poll(&entry, 1, milliseconds) > 0
  }

  /// Takes the exit status of an own child; nil while it runs. ECHILD where it is nobody of ours, or reaped already.
  package func reap() throws(SystemError) -> ExitStatus? {
    var code: Int32 = 0
    var signal: Int32 = 0
    let reaped = try check("waitid", "\(pid)") { clinux_reap(handle.raw, &code, &signal) }
    guard reaped == 1 else { return nil }
    return signal == 0 ? .exited(code) : .signalled(signal)
  }

  /// Returns when the process has ended, or when the calling task is cancelled. Does not reap.
  package func ended() async {
    guard !hasEnded else { return }
    let ticket = waiters.withLock { state -> UInt64 in
      state.next += 1
      return state.next
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { wait($0, ticket) }
    } onCancel: {
      abandon(ticket)
    }
  }

  /// Whether it ended before `limit` was over.
  package func ended(within limit: Duration) async -> Bool {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await self.ended() }
      group.addTask { try? await Task.sleep(for: limit) }
      await group.next()
      group.cancelAll()
    }
    return hasEnded
  }

  /// SIGKILL; one that has ended already is no error.
  package func kill() { try? signal(SIGKILL) }

  private func wait(_ continuation: CheckedContinuation<Void, Never>, _ ticket: UInt64) {
    let (resume, watch) = waiters.withLock { state -> (Bool, Bool) in
      if state.ended || state.cancelled.remove(ticket) != nil { return (true, false) }
      state.continuations[ticket] = continuation
      defer { state.watched = true }
      return (false, !state.watched)
    }
    if resume { continuation.resume() }
    if watch { ExitPoller.shared.watch(self) }
  }

  private func abandon(_ ticket: UInt64) {
    let continuation = waiters.withLock { state in
      let continuation = state.continuations.removeValue(forKey: ticket)
      if continuation == nil && !state.ended { state.cancelled.insert(ticket) }
      return continuation
    }
    continuation?.resume()
  }

  fileprivate func finish() {
    let continuations = waiters.withLock { state in
      state.ended = true
      defer { state.continuations = [:] }
      return state.continuations
    }
    for continuation in continuations.values { continuation.resume() }
  }
}

/// One thread that sleeps until any watched process ends. Level-triggered: a process that ended before it was watched is reported as well.
private final class ExitPoller: Sendable {
  static let shared = ExitPoller()

  private let epoll: Int32
  private let watched = Mutex<[UInt64: Pidfd]>([:])
  private let tickets = Atomic<UInt64>(0)

  private init() {
    epoll = epoll_create1(Int32(O_CLOEXEC))
    precondition(epoll >= 0, "no epoll descriptor to watch processes with")
    let error = clinux_thread(
      { argument in
        Unmanaged<ExitPoller>.fromOpaque(argument!).takeUnretainedValue().serve()
        return nil
      }, Unmanaged.passRetained(self).toOpaque(), 256 << 10)
    precondition(error == 0, "no thread to watch processes with")
  }

  func watch(_ process: Pidfd) {
    let ticket = tickets.add(1, ordering: .relaxed).newValue
    watched.withLock { $0[ticket] = process }
    if clinux_epoll_watch(epoll, process.descriptor, ticket) != 0 { report(ticket) }
  }

  private func serve() {
    while true {
      var ticket: UInt64 = 0
      if clinux_epoll_next(epoll, &ticket) == 1 { report(ticket) }
    }
  }

  private func report(_ ticket: UInt64) {
    guard let process = watched.withLock({ $0.removeValue(forKey: ticket) }) else { return }
    epoll_ctl(epoll, EPOLL_CTL_DEL, process.descriptor, nil)
    process.finish()
  }
}
