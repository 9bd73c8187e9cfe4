package import Core
import Linux
import Synchronization

/// Hands events to any number of subscribers, each at its own pace.
///
/// What happens while nobody listens is kept for a while, and the first one to come gets it: a kubelet that is restarted misses nothing.
/// A subscriber that falls too far behind is told so and ended, rather than left with a gap it does not know of.
package final class EventHub: Sendable {
  private struct State {
    var subscribers: [Int: EventSubscription<LedgerEvent>] = [:]
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
  package func subscribe() -> EventSubscription<LedgerEvent> {
    state.withLock { [patience, metrics] state in
      let id = state.next
      state.next += 1
      let now = SystemClock.realtimeNanoseconds()
      let missed = state.kept.filter { now - $0.at <= patience }
      if missed.count < state.kept.count { metrics.add(.droppedEvents, Double(state.kept.count - missed.count), labels: ["expired"]) }
      state.kept = []
      let subscription = EventSubscription(missed, room: .init(events: capacity), metrics: metrics) { [self] in forget(id, $0) }
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
