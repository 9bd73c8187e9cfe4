import Synchronization

/// Wakes one waiting task; a ring that comes before the wait is not lost.
package final class Bell: Sendable {
  private struct State {
    var rung = false
    var waiter: CheckedContinuation<Void, Never>?
  }

  private let state = Mutex(State())

  package init() {}

  package func ring() {
    let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
      guard let waiter = state.waiter else {
        state.rung = true
        return nil
      }
      state.waiter = nil
      return waiter
    }
    waiter?.resume()
  }

  /// Until the next ring, or for `limit`. One waiter at a time.
  package func wait(_ limit: Duration? = nil) async {
    let timer = limit.map { limit in
      Task {
        try await Task.sleep(for: limit)
        ring()
      }
    }
    await withCheckedContinuation { continuation in
      let rung = state.withLock { state in
        defer { state.rung = false }
        if !state.rung { state.waiter = continuation }
        return state.rung
      }
      if rung { continuation.resume() }
    }
    timer?.cancel()
  }
}
