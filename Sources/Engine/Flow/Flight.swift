package import Core
import Synchronization

/// One running operation that belongs to the runtime, not to the client that asked first: any number of callers wait for it,
/// a caller that gives up (deadline, disconnect) leaves the operation running.
package final class Flight<Value: Sendable>: Sendable {
  private enum State {
    /// May become `.done`.
    case running([Int: CheckedContinuation<Value, any Error>])
    case done(Result<Value, any Error>)
  }

  private struct Storage {
    var state = State.running([:])
    var nextWaiter = 0
    /// Waiters cancelled before they were registered.
    var cancelled: Set<Int> = []
  }

  private let storage = Mutex(Storage())

  /// Starts `operation` in a task of its own; what it does is a part of `span`.
  package init(priority: TaskPriority? = nil, span: Span? = nil, _ operation: @escaping @Sendable () async throws -> Value) {
    Task.detached(priority: priority) {
      let result: Result<Value, any Error>
      do { result = .success(try await Span.resuming(span) { try await operation() }) } catch { result = .failure(error) }
      self.finish(result)
    }
  }

  /// The operation's result; CancellationError as soon as the waiting task is cancelled.
  package func value() async throws -> Value {
    let waiter = storage.withLock { storage in
      storage.nextWaiter += 1
      return storage.nextWaiter
    }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { register($0, as: waiter) }
    } onCancel: {
      abandon(waiter)
    }
  }

  private func register(_ continuation: CheckedContinuation<Value, any Error>, as waiter: Int) {
    let ready: Result<Value, any Error>? = storage.withLock { storage in
      switch storage.state {
      case .done(let result): return result
      case .running where storage.cancelled.remove(waiter) != nil: return .failure(CancellationError())
      case .running(var waiters):
        waiters[waiter] = continuation
        storage.state = .running(waiters)
        return nil
      }
    }
    if let ready { continuation.resume(with: ready) }
  }

  private func abandon(_ waiter: Int) {
    let continuation: CheckedContinuation<Value, any Error>? = storage.withLock { storage in
      guard case .running(var waiters) = storage.state else { return nil }
      guard let continuation = waiters.removeValue(forKey: waiter) else {
        storage.cancelled.insert(waiter)
        return nil
      }
      storage.state = .running(waiters)
      return continuation
    }
    continuation?.resume(throwing: CancellationError())
  }

  private func finish(_ result: Result<Value, any Error>) {
    let waiters = storage.withLock { storage in
      guard case .running(let waiters) = storage.state else { return [Int: CheckedContinuation<Value, any Error>]() }
      storage.state = .done(result)
      storage.cancelled = []
      return waiters
    }
    for waiter in waiters.values { waiter.resume(with: result) }
  }
}
