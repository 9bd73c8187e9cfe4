package import Core
import Linux
import Synchronization

/// The node's events as containerd's services tell them, for any number of subscribers, each at its own pace. What happens while nobody listens is
/// told to nobody: who comes asks for what there is, and listens from then on.
package final class EventExchange: EventSink {
  private struct State {
    var subscribers: [Int: EventSubscription<EventEnvelope>] = [:]
    var next = 0
  }

  private let state = Mutex(State())
  private let watchers = Atomic(0)
  private let room: EventSubscription<EventEnvelope>.Room
  private let metrics: Metrics

  /// - Parameters:
  ///   - capacity: events that one subscriber may be behind.
  ///   - bytes: what these may occupy.
  package init(capacity: Int = 1000, bytes: Int = 16 << 20, metrics: Metrics = Metrics()) {
    room = .init(events: capacity, bytes: bytes) { $0.weight }
    self.metrics = metrics
    metrics.gauge(.eventSubscribers) { [weak self] in [.init(labels: [], value: Double(self?.subscribers ?? 0))] }
  }

  /// Somebody listens. A publisher need not make its message where nobody does.
  package var isWatched: Bool { watchers.load(ordering: .acquiring) > 0 }

  package var subscribers: Int { watchers.load(ordering: .acquiring) }

  package func publish(_ envelope: EventEnvelope) {
    guard isWatched else { return }
    metrics.add(.publishedEvents)
    state.withLock { state in
      for subscriber in state.subscribers.values { subscriber.offer(envelope) }
    }
  }

  /// What happens from now on and passes one of the filters. `end()` what is returned.
  package func subscribe(_ filters: EventFilters = .all) -> FilteredEvents {
    state.withLock { [room, metrics] state in
      let id = state.next
      state.next += 1
      let subscription = EventSubscription([], room: room, metrics: metrics) { [self] _ in forget(id) }
      state.subscribers[id] = subscription
      watchers.store(state.subscribers.count, ordering: .releasing)
      return FilteredEvents(subscription, filters)
    }
  }

  private func forget(_ id: Int) {
    state.withLock { state in
      state.subscribers[id] = nil
      watchers.store(state.subscribers.count, ordering: .releasing)
    }
  }
}

extension EventEnvelope {
  fileprivate var weight: Int { event.value.count + topic.utf8.count + namespace.utf8.count + event.url.utf8.count }
}

/// What passes a subscriber's filters. They are looked at in its own time, not in that of those who publish.
package struct FilteredEvents: Sendable {
  private let subscription: EventSubscription<EventEnvelope>
  private let filters: EventFilters

  init(_ subscription: EventSubscription<EventEnvelope>, _ filters: EventFilters) {
    self.subscription = subscription
    self.filters = filters
  }

  /// At least one; `nil` when the subscription was ended. RESOURCE_EXHAUSTED once where this listener was too slow and events were lost.
  package func next() async throws -> [EventEnvelope]? {
    while let events = try await subscription.next() {
      let passed = filters.passesAll ? events : events.filter(filters.pass)
      if !passed.isEmpty { return passed }
    }
    return nil
  }

  package func end() { subscription.end() }
}
