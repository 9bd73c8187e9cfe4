import CLinux
import Synchronization

/// What a process writes to two pipes, up to a limit; beyond it is read and dropped. One thread reads for all: hundreds of slow commands cost no
/// thread each.
package final class CollectedOutput: Sendable {
  package struct Bytes: Sendable, Hashable {
    package var stdout: [UInt8] = []
    package var stderr: [UInt8] = []
  }

  private struct State {
    var bytes = Bytes()
    var room: Int
    /// Descriptor and whether it is stdout's.
    var open: [(fd: Int32, isOutput: Bool)]
    /// Monotonic nanoseconds of the last change, and of the latest end; nil while the process may still write.
    var closing: (changed: Int64, quiet: Int64, latest: Int64)?
    var waiter: CheckedContinuation<Void, Never>?
  }

  private let state: Mutex<State>

  /// Begins to read both (non-blocking) ends; `limit` is for both together.
  package init(stdout: consuming FileHandle, stderr: consuming FileHandle, limit: Int) {
    let ends = [(stdout.release(), true), (stderr.release(), false)]
    state = Mutex(State(room: limit, open: ends.map { (fd: $0.0, isOutput: $0.1) }))
    for end in ends { CollectingThread.shared.add(end.0, self) }
  }

  /// The process has ended: returns when its pipes have, too. Children may hold them open: then after `quiet` without output, and after `linger` anyhow.
  package func finish(quiet: Duration, linger: Duration) async -> Bytes {
    await withCheckedContinuation { continuation in
      let now = shim_monotonic()
      let isOver = state.withLock { state in
        if state.open.isEmpty { return true }
        state.closing = (changed: now, quiet: quiet.nanoseconds, latest: now + linger.nanoseconds)
        state.waiter = continuation
        return false
      }
      if isOver { continuation.resume() } else { CollectingThread.shared.wake() }
    }
    return state.withLock { state in
      defer { state.bytes = Bytes() }
      return state.bytes
    }
  }

  /// Nobody wants it any more.
  package func abandon() {
    let now = shim_monotonic()
    state.withLock { $0.closing = (changed: now, quiet: 0, latest: now) }
    CollectingThread.shared.wake()
  }

  fileprivate func take(_ fd: Int32, _ buffer: UnsafeMutableRawBufferPointer) {
    let count = read(fd, buffer.baseAddress, buffer.count)
    if count > 0 { return keep(fd, UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
    if count == 0 || (clinux_errno() != EAGAIN && clinux_errno() != EINTR) { close([fd]) }
  }

  private func keep(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) {
    state.withLock { state in
      let kept = bytes[..<min(bytes.count, state.room)]
      state.room -= kept.count
      state.closing?.changed = shim_monotonic()
      guard let end = state.open.first(where: { $0.fd == fd }), !kept.isEmpty else { return }
      if end.isOutput { state.bytes.stdout += kept } else { state.bytes.stderr += kept }
    }
  }

  /// When to look again; nil for never.
  fileprivate var deadline: Int64? { state.withLock { $0.closing.map { min($0.changed + $0.quiet, $0.latest) } } }

  fileprivate func close() { close(state.withLock { $0.open.map(\.fd) }) }

  private func close(_ fds: [Int32]) {
    for fd in fds { CollectingThread.shared.remove(fd) }
    let waiter = state.withLock { state in
      state.open.removeAll { fds.contains($0.fd) }
      guard state.open.isEmpty else { return nil as CheckedContinuation<Void, Never>? }
      return state.waiter.take()
    }
    waiter?.resume()
  }
}

/// The thread that reads; it alone closes what it reads, so that no number can mean another file meanwhile.
private final class CollectingThread: Sendable {
  static let shared = CollectingThread()
  private static let bufferSize = 256 << 10

  private let epoll = shim_epoll_create()
  /// A pipe that wakes the thread.
  private let bell: Int32
  private let ringer: Int32
  private let owners = Mutex<[Int32: CollectedOutput]>([:])

  private init() {
    var ends: (Int32, Int32) = (-1, -1)
    _ = withUnsafeMutableBytes(of: &ends) { pipe2($0.assumingMemoryBound(to: Int32.self).baseAddress, O_CLOEXEC | O_NONBLOCK) }
    (bell, ringer) = ends
    precondition(epoll >= 0 && bell >= 0, "no descriptors to collect output with")
    shim_epoll_set(epoll, bell, shim_epoll_in(), 0)
    let error = clinux_thread(
      { argument in
        Unmanaged<CollectingThread>.fromOpaque(argument!).takeUnretainedValue().serve()
        return nil
      }, Unmanaged.passRetained(self).toOpaque(), 256 << 10)
    precondition(error == 0, "no thread to collect output with")
  }

  func add(_ fd: Int32, _ owner: CollectedOutput) {
    owners.withLock { $0[fd] = owner }
    shim_epoll_set(epoll, fd, shim_epoll_in(), 0)
  }

  /// On the thread itself.
  func remove(_ fd: Int32) {
    owners.withLock { $0[fd] = nil }
    shim_epoll_set(epoll, fd, 0, 0)
    close(fd)
  }

  func wake() {
    var one: UInt8 = 1
    _ = write(ringer, &one, 1)
  }

  private func serve() {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.bufferSize, alignment: 4096)
    var fds = [Int32](repeating: -1, count: 32)
    var events = [UInt32](repeating: 0, count: 32)
    while true {
      let count = shim_epoll_wait(epoll, &fds, &events, 32, timeout)
      for fd in fds.prefix(Int(max(count, 0))) { serve(fd, buffer) }
      expire()
    }
  }

  private func serve(_ fd: Int32, _ buffer: UnsafeMutableRawBufferPointer) {
    if fd == bell { _ = read(bell, buffer.baseAddress, buffer.count) }
    owners.withLock { $0[fd] }?.take(fd, buffer)
  }

  private var timeout: Int32 {
    guard let next = owners.withLock({ Array($0.values) }).compactMap(\.deadline).min() else { return -1 }
    return Int32(min(max((next - shim_monotonic() + 999_999) / 1_000_000, 0), 1 << 30))
  }

  private func expire() {
    let now = shim_monotonic()
    for owner in owners.withLock({ Array($0.values) }) {
      if let deadline = owner.deadline, deadline <= now { owner.close() }
    }
  }
}
