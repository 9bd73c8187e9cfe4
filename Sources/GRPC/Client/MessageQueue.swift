import NIOCore
import Synchronization

/// Messages between the event loop that receives and the one task that reads.
final class MessageQueue: Sendable {
  private struct State {
    var messages = CircularBuffer<ByteBuffer>()
    /// How the stream ended; `.some(nil)` is well.
    var end: GRPCStatus??
    var reader: CheckedContinuation<ByteBuffer?, any Error>?
    /// The peer was denied credit until the messages here are taken.
    var wantsCredit = false
  }
  private let state = Mutex(State())

  func push(_ message: ByteBuffer) {
    let reader = state.withLock { state -> CheckedContinuation<ByteBuffer?, any Error>? in
      guard state.end == nil else { return nil }
      if state.reader == nil { state.messages.append(message) }
      defer { state.reader = nil }
      return state.reader
    }
    reader?.resume(returning: message)
  }

  /// The first end counts; messages that arrived before it are still read.
  func finish(_ status: GRPCStatus?) {
    let reader = state.withLock { state -> CheckedContinuation<ByteBuffer?, any Error>? in
      if state.end == nil { state.end = .some(status) }
      defer { state.reader = nil }
      return state.reader
    }
    if let status { reader?.resume(throwing: status) } else { reader?.resume(returning: nil) }
  }

  /// True where the reader has taken everything; otherwise the next reader that does so will ask for credit.
  func isEmptyElseWantsCredit() -> Bool {
    state.withLock { state in
      state.wantsCredit = !state.messages.isEmpty
      return state.messages.isEmpty
    }
  }

  /// The next message, `nil` at a good end. `needsCredit` is called when the queue ran empty and the peer waits for that.
  func next(needsCredit: @Sendable () -> Void) async throws -> ByteBuffer? {
    try await withCheckedThrowingContinuation { continuation in
      let (result, credit) = state.withLock { state -> (Result<ByteBuffer?, any Error>?, Bool) in
        if let message = state.messages.popFirst() {
          let credit = state.messages.isEmpty && state.wantsCredit
          if credit { state.wantsCredit = false }
          return (.success(message), credit)
        }
        if let end = state.end { return (end.map { .failure($0) } ?? .success(nil), false) }
        precondition(state.reader == nil, "one task reads a response stream")
        state.reader = continuation
        return (nil, false)
      }
      if credit { needsCredit() }
      if let result { continuation.resume(with: result) }
    }
  }
}
