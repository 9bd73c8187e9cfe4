import CLinux
import Synchronization

/// Connects to TCP ports on the loopback of any network namespace.
///
/// A thread of its own goes into the namespace, makes a socket there, and comes back; the socket stays of that namespace. The thread waits for
/// nothing but its list of connects, so a port that does not answer delays no other. Made with the first dial, ended by ``close()``.
package final class LoopbackDialer: Sendable {
  private struct State {
    var waiting: [DialRequest] = []
    /// Writing end of the pipe that wakes the thread; nil without one.
    var wake: Int32?
    var thread: WorkerThread?
    var isClosed = false
  }
  private let state = Mutex(State())

  package init() {}

  /// A connected, non-blocking, close-on-exec socket that the caller owns: to 127.0.0.1, else to ::1.
  /// `netns`: path of the namespace, nil for this process's own.
  package func dial(_ port: UInt16, netns: String?, timeout: Duration) async throws -> Int32 {
    try await withCheckedThrowingContinuation { continuation in
      let request = DialRequest(port: port, netns: netns, deadline: ContinuousClock.now + timeout, continuation: continuation)
      do throws(SystemError) { try submit(request) } catch { continuation.resume(throwing: error) }
    }
  }

  /// Ends the thread; connects under way fail.
  package func close() {
    let thread = state.withLock { state in
      state.isClosed = true
      if let wake = state.wake { ring(wake) }
      defer { state.thread = nil }
      return state.thread
    }
    thread?.join()
  }

  private func submit(_ request: DialRequest) throws(SystemError) {
    try state.withLock { (state) throws(SystemError) in
      guard !state.isClosed else { throw SystemError(ECANCELED, call: "connect", object: "port \(request.port)") }
      if state.wake == nil { try start(&state) }
      state.waiting.append(request)
      if let wake = state.wake { ring(wake) }
    }
  }

  private func ring(_ wake: Int32) {
    var byte: UInt8 = 1
    _ = write(wake, &byte, 1)
  }

  private func start(_ state: inout State) throws(SystemError) {
    var ends: (Int32, Int32) = (-1, -1)
    try check("pipe2") {
      withUnsafeMutableBytes(of: &ends) { pipe2($0.assumingMemoryBound(to: Int32.self).baseAddress, O_CLOEXEC | O_NONBLOCK) }
    }
    let (reading, writing) = ends
    do throws(SystemError) {
      state.thread = try WorkerThread("dialer") { [self] in
        var loop = DialLoop(wake: FileHandle(owning: reading))
        loop.run { self.collect() }
        self.ended(writing)
      }
      state.wake = writing
    } catch {
      _ = CLinux.close(reading)
      _ = CLinux.close(writing)
      throw error
    }
  }

  /// What came since the last call; nil where the thread is to end.
  private func collect() -> [DialRequest]? {
    state.withLock { state in
      if state.isClosed { return nil }
      defer { state.waiting = [] }
      return state.waiting
    }
  }

  private func ended(_ wake: Int32) {
    let left = state.withLock { state in
      state.wake = nil
      _ = CLinux.close(wake)
      defer { state.waiting = [] }
      return state.waiting
    }
    for request in left { request.fail(ECANCELED) }
  }
}

/// One connect that somebody waits for.
struct DialRequest: Sendable {
  let port: UInt16
  let netns: String?
  let deadline: ContinuousClock.Instant
  let continuation: CheckedContinuation<Int32, any Error>

  func fail(_ number: Int32, call: String = "connect", object: String? = nil) {
    continuation.resume(throwing: SystemError(number, call: call, object: object ?? "127.0.0.1:\(port) and [::1]:\(port)"))
  }
}
