package import Core
import Linux
import Synchronization

/// Hands events to any number of subscribers, each at its own pace.
///
/// What happens while nobody listens is kept for a while, and the first one to come gets it: a kubelet that is restarted misses nothing.
/// A subscriber that falls too far behind is told so and ended, rather than left with a gap it does not know of.
package final class EventHub: Sendable {
  private struct State {
    var subscribers: [Int: EventSubscription] = [:]
    var next = 0
    var kept: [LedgerEvent] = []
    var listeners: [@Sendable () -> Void] = []
  }

  private let state = Mutex(State())
  private let capacity: Int
  /// Nanoseconds.
  private let patience: Int64
  private let metrics: Metrics

  /// - Parameters:
  ///   - capacity: events that one subscriber may be behind, and that are kept while there is none.
  ///   - patience: how long they are kept then; not at all where it is zero.
  package init(capacity: Int = 1000, patience: Duration = .seconds(300), metrics: Metrics = Metrics()) {
    self.capacity = capacity
    self.metrics = metrics
    self.patience = patience.nanoseconds
  }

  /// Never blocks. Called in the order in which things happen.
  func publish(_ event: LedgerEvent) {
    state.withLock { state in
      if state.subscribers.isEmpty { keep(event, &state.kept) }
      for subscriber in state.subscribers.values { subscriber.offer(event) }
      for ring in state.listeners { ring() }
    }
  }

  /// `ring` is called after every event from now on. It must return at once and call nothing of the ledger.
  func onEvent(_ ring: @escaping @Sendable () -> Void) { state.withLock { $0.listeners.append(ring) } }

  private func keep(_ event: LedgerEvent, _ kept: inout [LedgerEvent]) {
    guard patience > 0 else { return metrics.add(.droppedEvents, labels: ["expired"]) }
    kept.append(event)
    let old = kept.prefix { event.at - $0.at > patience }.count
    let surplus = max(old, kept.count > capacity ? kept.count - capacity / 2 : 0)
    guard surplus > 0 else { return }
    kept.removeFirst(surplus)
    if old > 0 { metrics.add(.droppedEvents, Double(old), labels: ["expired"]) }
    if surplus > old { metrics.add(.droppedEvents, Double(surplus - old), labels: ["surplus"]) }
  }

  /// Begins to listen. `end()` what is returned.
  package func subscribe() -> EventSubscription {
    state.withLock { [patience, metrics] state in
      let id = state.next
      state.next += 1
      let now = SystemClock.realtimeNanoseconds()
      let missed = state.kept.filter { now - $0.at <= patience }
      if missed.count < state.kept.count { metrics.add(.droppedEvents, Double(state.kept.count - missed.count), labels: ["expired"]) }
      state.kept = []
      let subscription = EventSubscription(missed, capacity: capacity, metrics: metrics) { [self] in forget(id, $0) }
      state.subscribers[id] = subscription
      return subscription
    }
  }

  /// What the last one to leave had not taken is kept for the next one.
  private func forget(_ id: Int, _ left: [LedgerEvent]) {
    state.withLock { state in
      guard state.subscribers.removeValue(forKey: id) != nil, state.subscribers.isEmpty else { return }
      for event in left { keep(event, &state.kept) }
    }
  }
}

/// One listener's queue.
package final class EventSubscription: Sendable {
  private struct State {
    var queue: [LedgerEvent]
    var waiting: CheckedContinuation<Void, Never>?
    var ended = false
    var overflowed = false
  }

  private let state: Mutex<State>
  private let capacity: Int
  private let metrics: Metrics
  private let forget: @Sendable ([LedgerEvent]) -> Void

  init(_ missed: [LedgerEvent], capacity: Int, metrics: Metrics = Metrics(), forget: @escaping @Sendable ([LedgerEvent]) -> Void) {
    state = Mutex(State(queue: missed))
    self.capacity = capacity
    self.metrics = metrics
    self.forget = forget
  }

  func offer(_ event: LedgerEvent) {
    let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
      if state.ended { return nil }
      if state.overflowed || state.queue.count >= capacity {
        metrics.add(.droppedEvents, Double(state.queue.count + 1), labels: ["slow"])
        state.overflowed = true
        state.queue = []
      } else {
        state.queue.append(event)
      }
      defer { state.waiting = nil }
      return state.waiting
    }
    waiter?.resume()
  }

  /// The events that came since the last call, at least one; `nil` when the subscription was ended. RESOURCE_EXHAUSTED once where this
  /// listener was too slow and events were lost.
  package func next() async throws -> [LedgerEvent]? {
    while true {
      let (events, ended, overflowed) = state.withLock { state in
        defer { state.queue = [] }
        return (state.queue, state.ended, state.overflowed)
      }
      if overflowed {
        throw Fault(
          .resourceExhausted, "events: this subscriber fell \(capacity) events behind and missed some; list again, then subscribe again")
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
        if state.ended || state.overflowed || !state.queue.isEmpty { return true }
        state.waiting = continuation
        return false
      }
      if ready { continuation.resume() }
    }
  }

  /// Stops listening. Idempotent. `unsent` was taken but did not reach anyone.
  package func end(unsent: [LedgerEvent] = []) {
    let (waiter, left, first) = state.withLock { state in
      defer { (state.ended, state.waiting, state.queue) = (true, nil, []) }
      return (state.waiting, unsent + state.queue, !state.ended)
    }
    waiter?.resume()
    if first { forget(left) }
  }
}
