import Linux
import Synchronization

/// A counting semaphore for tasks, one for each key; turns come in order of arrival, or as their ranks say. Who is cancelled while waiting leaves
/// the queue.
package final class Slots: Sendable {
  private struct Waiter {
    let number: Int
    let rank: Int64
    let continuation: CheckedContinuation<Void, any Error>
  }

  private struct Queue {
    var busy = 0
    /// The lowest rank first.
    var waiting: [Waiter] = []

    mutating func add(_ waiter: Waiter) {
      let index = waiting.lastIndex { $0.rank <= waiter.rank }.map { $0 + 1 } ?? 0
      waiting.insert(waiter, at: index)
    }
  }

  private struct State {
    var queues: [String: Queue] = [:]
    /// Numbers waiters.
    var next = 0
    /// Cancelled while they did not wait: not yet, or no more.
    var cancelled: Set<Int> = []
  }

  private let limit: Int
  private let state = Mutex(State())

  /// - Parameter limit: of each key; 0 for none.
  package init(_ limit: Int) { self.limit = limit }

  /// Throws a ``CancellationError`` where the task is cancelled before its turn, else what `body` throws.
  /// - Parameter rank: of those that wait, the lowest goes first; a time (``SystemClock/monotonicNanoseconds()``), without one that of arrival.
  package func with<T: Sendable>(_ key: String = "", rank: Int64? = nil, _ body: () async throws -> T) async throws -> T {
    guard limit > 0 else { return try await body() }
    try await enter(key, rank ?? SystemClock.monotonicNanoseconds())
    defer { leave(key) }
    return try await body()
  }

  private func enter(_ key: String, _ rank: Int64) async throws {
    let number = state.withLock { state in
      state.next += 1
      return state.next
    }
    // Nobody can be told any more that it was cancelled.
    defer { state.withLock { _ = $0.cancelled.remove(number) } }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let result: Result<Void, any Error>? = state.withLock { state in
          if state.cancelled.contains(number) || Task.isCancelled { return .failure(CancellationError()) }
          if state.queues[key, default: Queue()].busy < limit {
            state.queues[key, default: Queue()].busy += 1
            return .success(())
          }
          state.queues[key, default: Queue()].add(Waiter(number: number, rank: rank, continuation: continuation))
          return nil
        }
        if let result { continuation.resume(with: result) }
      }
    } onCancel: {
      abandon(number, key)
    }
  }

  private func abandon(_ number: Int, _ key: String) {
    let waiter: CheckedContinuation<Void, any Error>? = state.withLock { state in
      guard let index = state.queues[key]?.waiting.firstIndex(where: { $0.number == number }) else {
        state.cancelled.insert(number)
        return nil
      }
      return state.queues[key]?.waiting.remove(at: index).continuation
    }
    waiter?.resume(throwing: CancellationError())
  }

  private func leave(_ key: String) {
    let next: CheckedContinuation<Void, any Error>? = state.withLock { state in
      guard var queue = state.queues[key] else { return nil }
      defer { state.queues[key] = queue.busy == 0 ? nil : queue }
      if !queue.waiting.isEmpty { return queue.waiting.removeFirst().continuation }
      queue.busy -= 1
      return nil
    }
    next?.resume()
  }
}
