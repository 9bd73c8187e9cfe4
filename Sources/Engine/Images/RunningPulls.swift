import Core
import Linux
package import Logging
import Synchronization

/// Pulls, imports and pushes under way: what `berth pulls` lists, and a log line for each every ten seconds.
package final class RunningPulls: Sendable {
  package struct Pull: Sendable {
    package let reference: String
    package let progress: PullProgress
    package let kind: Kind
  }

  package enum Kind: String, Sendable { case pull, push }

  private struct State {
    var pulls: [Int: Pull] = [:]
    var next = 0
  }

  private static let interval = Duration.seconds(10)

  private let state = Mutex(State())
  private let logger: Logger

  package init(logger: Logger) { self.logger = logger }

  /// The oldest first.
  package func list() -> [Pull] { state.withLock { $0.pulls.sorted { $0.key < $1.key }.map(\.value) } }

  func during<T: Sendable>(_ reference: String, _ progress: PullProgress, as kind: Kind = .pull, _ body: () async throws -> T) async throws
    -> T
  {
    let number = state.withLock { state in
      state.next += 1
      state.pulls[state.next] = Pull(reference: reference, progress: progress, kind: kind)
      return state.next
    }
    let reporter = Task { [logger] in try await Self.report(reference, progress, kind, logger) }
    defer {
      reporter.cancel()
      state.withLock { _ = $0.pulls.removeValue(forKey: number) }
    }
    return try await body()
  }

  private static func report(_ reference: String, _ progress: PullProgress, _ kind: Kind, _ logger: Logger) async throws {
    var (last, before) = (Int64(0), SystemClock.monotonicNanoseconds())
    while true {
      try await Task.sleep(for: interval)
      let now = SystemClock.monotonicNanoseconds()
      logger.info(
        "\(kind.rawValue)ing", metadata: ["image": "\(reference)", "progress": "\(progress.report(since: last, over: now - before))"])
      (last, before) = (progress.received, now)
    }
  }
}
