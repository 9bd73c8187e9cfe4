import Core
import Linux
import Logging
import Synchronization

/// Runs failed DELs again in the background: each after a delay that doubles with its failures, a few at a time.
final class DetachRetries: Sendable {
  private struct State {
    var tasks: [String: Task<Void, Never>] = [:]
    var closed = false
  }

  private let state = Mutex(State())
  private let lanes = Turns()
  private let firstDelay: Duration
  /// True once the sandbox needs no more attempts; else how many have failed by now.
  private let attempt: @Sendable (String) async -> Int?

  private static let longestDelay = Duration.seconds(300)
  private static let laneCount = 4

  init(firstDelay: Duration, _ attempt: @escaping @Sendable (String) async -> Int?) {
    self.firstDelay = firstDelay
    self.attempt = attempt
  }

  /// Begins trying for a sandbox that has failed so often; nothing if that is under way already.
  func begin(_ id: String, failures: Int) {
    state.withLock { state in
      guard !state.closed, state.tasks[id] == nil else { return }
      // Detached: what the call that began it was a part of has long ended.
      state.tasks[id] = Task.detached { await self.run(id, failures) }
    }
  }

  /// Stops trying; what is queued stays queued on disk.
  func close() async {
    let tasks = state.withLock { state in
      state.closed = true
      return Array(state.tasks.values)
    }
    for task in tasks { task.cancel() }
    for task in tasks { await task.value }
  }

  func delay(_ failures: Int) -> Duration { min(firstDelay * (1 << min(max(failures - 1, 0), 20)), Self.longestDelay) }

  private func run(_ id: String, _ failures: Int) async {
    var failures = failures
    while (try? await Task.sleep(for: delay(failures))) != nil {
      let lane = "\(id.utf8.reduce(0) { ($0 + Int($1)) % Self.laneCount })"
      guard let count = await lanes.run(lane, { await attempt(id) }) else { break }
      failures = count
    }
    state.withLock { _ = $0.tasks.removeValue(forKey: id) }
  }
}
