import Core
import Linux
import Logging
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

  static let interval = Duration.seconds(10)

  private let state = Mutex(State())
  private let logger: Logger
  private let metrics: Metrics
  /// A pull on which nothing happens for so long ends; `nil` for never.
  private let patience: Duration?
  /// Between the log lines of one.
  private let interval: Duration
  /// When none is under way any more.
  private let afterwards: @Sendable () -> Void

  init(
    patience: Duration? = nil, interval: Duration = RunningPulls.interval, metrics: Metrics = Metrics(), logger: Logger,
    afterwards: @escaping @Sendable () -> Void = {}
  ) {
    self.patience = patience
    self.interval = interval
    self.afterwards = afterwards
    self.metrics = metrics
    self.logger = logger
  }

  /// The oldest first.
  package func list() -> [Pull] { state.withLock { $0.pulls.sorted { $0.key < $1.key }.map(\.value) } }

  func during<T: Sendable>(
    _ reference: String, _ progress: PullProgress, as kind: Kind = .pull, _ body: @escaping @Sendable () async throws -> T
  ) async throws
    -> T
  {
    let number = state.withLock { state in
      state.next += 1
      state.pulls[state.next] = Pull(reference: reference, progress: progress, kind: kind)
      return state.next
    }
    let reporter = Task { try await self.report(reference, progress, kind) }
    defer {
      reporter.cancel()
      let isLast = state.withLock { state in
        state.pulls[number] = nil
        return state.pulls.isEmpty
      }
      if isLast { Task { [afterwards] in await BlockingWork.run { afterwards() } } }
    }
    if kind == .push { return try await patiently(progress, body) }
    return try await counted(progress) { try await self.patiently(progress, body) }
  }

  /// Cancels `body` when nothing happens for too long, and says how far it was.
  private func patiently<T: Sendable>(_ progress: PullProgress, _ body: @escaping @Sendable () async throws -> T) async throws -> T {
    guard let patience else { return try await body() }
    return try await withThrowingTaskGroup(of: T.self) { group in
      group.addTask { try await body() }
      group.addTask {
        try await progress.waitForStandstill(patience)
        throw Fault(.deadlineExceeded, "\(progress.report): no progress in \(patience)")
      }
      defer { group.cancelAll() }
      guard let result = try await group.next() else { throw CancellationError() }
      return result
    }
  }

  private func counted<T: Sendable>(_ progress: PullProgress, _ body: () async throws -> T) async throws -> T {
    let began = SystemClock.monotonicNanoseconds()
    do {
      let result = try await body()
      count(progress, seconds: Double(SystemClock.monotonicNanoseconds() - began) / 1e9)
      return result
    } catch {
      metrics.add(.pulls, labels: ["\(Fault(error).code)"])
      throw error
    }
  }

  private func count(_ progress: PullProgress, seconds: Double) {
    metrics.add(.pulls, labels: ["ok"])
    metrics.observe(.pullSeconds, seconds)
    if progress.received > 0 { metrics.observe(.pullRate, Double(progress.received) / max(seconds, 1e-9)) }
    for layer in progress.layers() {
      let isPresent = layer.phase == .present
      metrics.add(.layers, labels: [isPresent ? "present" : "fetched"])
      if isPresent { metrics.add(.skippedBytes, Double(layer.total)) } else { metrics.observe(.layerBytes, Double(layer.total)) }
    }
  }

  private func report(_ reference: String, _ progress: PullProgress, _ kind: Kind) async throws {
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
