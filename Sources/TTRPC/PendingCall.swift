import NIOCore
import Synchronization

/// A call whose answer is awaited: completed exactly once, by whoever comes first (answer, deadline, cancellation, loss of the connection).
final class PendingCall: Sendable {
  typealias Outcome = Result<ByteBuffer, TTRPCError>

  private enum State {
    /// May become `waiting` or `done`.
    case fresh
    /// May become `done`.
    case waiting(CheckedContinuation<Outcome, Never>)
    case done(Outcome)
  }

  private let state = Mutex(State.fresh)

  func complete(_ outcome: Outcome) {
    let continuation = state.withLock { state -> CheckedContinuation<Outcome, Never>? in
      switch state {
      case .fresh:
        state = .done(outcome)
        return nil
      case .waiting(let continuation):
        state = .done(outcome)
        return continuation
      case .done: return nil
      }
    }
    continuation?.resume(returning: outcome)
  }

  /// To be awaited once.
  func outcome() async -> Outcome {
    await withCheckedContinuation { continuation in
      let early = state.withLock { state -> Outcome? in
        if case .done(let outcome) = state { return outcome }
        state = .waiting(continuation)
        return nil
      }
      if let early { continuation.resume(returning: early) }
    }
  }
}
