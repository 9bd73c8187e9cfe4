import CLinux

/// Waits for descriptors and deadlines on the main thread. Handlers must tolerate being called without cause, and never block.
final class EventLoop {
  typealias Handler = (_ events: UInt32) -> Void
  struct Timer { fileprivate let id: Int }

  static let readable = shim_epoll_in()
  static let writable = shim_epoll_out()
  /// Milliseconds without anything to do.
  private static let restAfter: Int32 = 1000

  private struct Deadline {
    let id: Int
    let at: Int64
    let body: () -> Void
  }

  private let epoll = shim_epoll_create()
  private var handlers = DescriptorTable<Handler>()
  private var deadlines: [Deadline] = []
  private var lastTimer = 0
  /// Something happened since memory was last given back.
  private var isAwake = true

  func watch(_ fd: Int32, _ events: UInt32 = EventLoop.readable, _ handler: @escaping Handler) {
    if shim_epoll_set(epoll, fd, events, 0) < 0 { note("epoll: " + Bytes(errno: clinux_errno())) }
    handlers[fd] = handler
  }

  func change(_ fd: Int32, _ events: UInt32) { _ = shim_epoll_set(epoll, fd, events, 1) }

  /// Before the descriptor is closed.
  func unwatch(_ fd: Int32) {
    guard handlers[fd] != nil else { return }
    handlers[fd] = nil
    _ = shim_epoll_set(epoll, fd, 0, 0)
  }

  @discardableResult
  func after(milliseconds: Int64, _ body: @escaping () -> Void) -> Timer {
    lastTimer += 1
    let wait = min(max(milliseconds, 0), 1 << 40) * 1_000_000
    deadlines.append(Deadline(id: lastTimer, at: shim_monotonic() + wait, body: body))
    return Timer(id: lastTimer)
  }

  func cancel(_ timer: Timer?) {
    guard let timer else { return }
    deadlines.removeAll { $0.id == timer.id }
  }

  func run() -> Never {
    while true {
      let count = dispatch()
      expire()
      if count > 0 || !deadlines.isEmpty {
        isAwake = true
      } else if isAwake {
        isAwake = false
        shim_rest()
      }
    }
  }

  /// How many descriptors were ready.
  private func dispatch() -> Int32 {
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: 32) { fds in
      withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 32) { events in
        let count = shim_epoll_wait(epoll, fds.baseAddress, events.baseAddress, 32, timeout)
        for index in 0..<Int(max(count, 0)) {
          if let handler = handlers[fds[index]] { handler(events[index]) }
        }
        return count
      }
    }
  }

  private var timeout: Int32 {
    guard var next = deadlines.first?.at else { return isAwake ? Self.restAfter : -1 }
    for deadline in deadlines { next = min(next, deadline.at) }
    let wait = (next - shim_monotonic() + 999_999) / 1_000_000
    return Int32(min(max(wait, 0), 1 << 30))
  }

  private func expire() {
    guard !deadlines.isEmpty else { return }
    let now = shim_monotonic()
    let due = deadlines.filter { $0.at <= now }
    for deadline in due where deadlines.contains(where: { $0.id == deadline.id }) {
      cancel(Timer(id: deadline.id))
      deadline.body()
    }
  }
}
