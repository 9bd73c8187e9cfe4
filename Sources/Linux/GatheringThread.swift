import Synchronization

/// A thread that works in batches: once rung it lets more gather for a moment, then does a round of work.
package final class GatheringThread: Sendable {
  private struct State {
    var thread: WorkerThread?
    var closing = false
  }

  private let state = Mutex(State())
  private let changed = Wakeup()
  private let urgent = Wakeup()

  package init() {}

  /// Starts it, once. `linger` is asked before each round for how long to gather; `round` says whether there is more to do without another ring.
  package func start(_ name: String, linger: @escaping @Sendable () -> Duration, round: @escaping @Sendable () -> Bool) throws(SystemError)
  {
    let started = try WorkerThread(name) { [self] in
      while true {
        changed.wait()
        urgent.wait(linger())
        let last = state.withLock { $0.closing }
        if round() { changed.ring() }
        if last { return }
      }
    }
    state.withLock { $0.thread = started }
  }

  /// There is something to do.
  package func ring() { changed.ring() }

  /// There is something to do now.
  package func hurry() {
    changed.ring()
    urgent.ring()
  }

  /// Does one last round, then ends the thread. Idempotent.
  package func close() {
    let running = state.withLock { state in
      defer { state.thread = nil }
      state.closing = true
      return state.thread
    }
    guard let running else { return }
    hurry()
    running.join()
  }
}
