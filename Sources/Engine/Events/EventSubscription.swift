import Core
import Synchronization

/// One listener's queue.
package final class EventSubscription<Event: Sendable>: Sendable {
  private struct State {
    var queue: [Event]
    /// What the queue's events occupy, where that is bounded.
    var bytes = 0
    var waiting: CheckedContinuation<Void, Never>?
    var ended = false
    /// Events lost since the queue overflowed; it takes none any more then.
    var missed = 0
  }

  /// What one listener may be behind.
  struct Room: Sendable {
    var events: Int
    var bytes = Int.max
    var weigh: @Sendable (Event) -> Int = { _ in 0 }
  }

  private let state: Mutex<State>
  private let room: Room
  private let metrics: Metrics
  private let forget: @Sendable ([Event]) -> Void

  init(_ missed: [Event], room: Room, metrics: Metrics = Metrics(), forget: @escaping @Sendable ([Event]) -> Void) {
    state = Mutex(State(queue: missed))
    self.room = room
    self.metrics = metrics
    self.forget = forget
  }

  func offer(_ event: Event) {
    let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
      if state.ended { return nil }
      let weight = room.weigh(event)
      let isFull = state.queue.count >= room.events || !state.queue.isEmpty && state.bytes + weight > room.bytes
      if state.missed > 0 || isFull {
        metrics.add(.droppedEvents, Double(state.queue.count + 1), labels: ["slow"])
        state.missed += state.queue.count + 1
        (state.queue, state.bytes) = ([], 0)
      } else {
        state.queue.append(event)
        state.bytes += weight
      }
      defer { state.waiting = nil }
      return state.waiting
    }
    waiter?.resume()
  }

  /// The events that came since the last call, at least one; `nil` when the subscription was ended. RESOURCE_EXHAUSTED once where this
  /// listener was too slow and events were lost.
  package func next() async throws -> [Event]? {
    while true {
      let (events, ended, missed) = state.withLock { state in
        defer { (state.queue, state.bytes) = ([], 0) }
        return (state.queue, state.ended, state.missed)
      }
      if missed > 0 {
        throw Fault(
          .resourceExhausted, "events: this subscriber fell behind and missed \(missed) events; list again, then subscribe again")
      }
      if !events.isEmpty { return events }
      if ended { return nil }
      await withTaskCancellationHandler {
        await arrival()
      } onCancel: {
        end()
      }
    }
  }

  private func arrival() async {
    await withCheckedContinuation { continuation in
      let ready = state.withLock { state in
        if state.ended || state.missed > 0 || !state.queue.isEmpty { return true }
        state.waiting = continuation
        return false
      }
      if ready { continuation.resume() }
    }
  }

  /// Stops listening. Idempotent. `unsent` was taken but did not reach anyone.
  package func end(unsent: [Event] = []) {
    let (waiter, left, first) = state.withLock { state in
      defer { (state.ended, state.waiting, state.queue) = (true, nil, []) }
      return (state.waiting, unsent + state.queue, !state.ended)
    }
    waiter?.resume()
    if first { forget(left) }
  }
}
