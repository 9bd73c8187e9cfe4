package import Core
import Linux
import Synchronization

/// What all containers said since the daemon began, and what became of it. Shims count; what they tell is added up here.
package final class LogTotals: Sendable {
  private struct State {
    var total = LogCounts()
    /// By container, as it was told last.
    var known: [String: LogCounts] = [:]
  }

  private let state = Mutex(State())

  package init() {}

  package var total: LogCounts { state.withLock { $0.total } }

  /// - Parameter isNew: false for what was counted before this daemon began.
  func note(_ states: [TaskState], isNew: Bool = true) {
    state.withLock { state in
      for task in states {
        // Answers may overtake each other.
        let before = state.known[task.id] ?? LogCounts()
        let now = task.log.combined(before, max)
        if isNew { state.total = state.total.combined(now.combined(before, &-), &+) }
        state.known[task.id] = now
      }
    }
  }

  func forget(_ container: String) { state.withLock { _ = $0.known.removeValue(forKey: container) } }
}

extension PodService {
  /// How long the shims may take to tell.
  private static let patience: Int64 = 2_000_000_000

  /// Tells what containers said, at every scrape from now on: every shim is asked then. One that does not answer tells more the next time.
  package func tellLogs(to metrics: Metrics) {
    metrics.source(of: .logs) { [self] in
      await askShims()
      return services.logTotals.total.families
    }
  }

  private func askShims() async {
    let pods = ledger.sandboxes().filter { $0.state == .ready }.compactMap { pod($0.id) }
    await withTaskGroup(of: Void.self) { group in
      for pod in pods { group.addTask { _ = try? await withDeadline(Self.patience) { await pod.noteLogs() } } }
    }
  }
}

extension LogCounts {
  fileprivate var families: [Metrics.Family] {
    let figures: [(Measure, UInt64)] = [
      (.logInputBytes, inputBytes), (.logOutputBytes, outputBytes), (.logLines, records - min(records, splits)), (.logRecords, records),
      (.logSplits, splits), (.logLosses, lost),
    ]
    return figures.map { ($0, [.init(labels: [], value: Double($1))]) }
  }
}
