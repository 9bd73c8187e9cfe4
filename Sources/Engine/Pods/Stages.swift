package import Core
import Linux
import Synchronization

/// Where the operations on pods and containers are, and how long each of their stages took. A stage may be a part of another one, as `network` is of
/// `run`.
package final class Stages: Sendable {
  /// Of a pod: what making it (`run`), stopping and removing it consist of.
  enum PodStage: String {
    case run, files, shim, network, infra, stop, containers, remove
    case userNamespace = "user_namespace"
    case networkRelease = "network_release"
    case shimEnd = "shim_end"
  }

  /// Of a container: creating it, the parts of that, and the rest of its life.
  enum ContainerStage: String {
    case create, mounts, snapshot, spec, task, start, stop, remove
  }

  private struct Running {
    let object: String
    let stage: String
    /// Nanoseconds of the monotonic clock: when it is in the stage for too long.
    let stalls: Int64
  }

  private struct State {
    var running: [Int: Running] = [:]
    var next = 0
  }

  /// In one stage for longer than this, an operation counts as stalled.
  static let patience: Int64 = 10_000_000_000
  private static let longest: Int64 = 86_400

  let metrics: Metrics
  private let state = Mutex(State())

  package init(_ metrics: Metrics) { self.metrics = metrics }

  /// Tells them at every scrape from now on.
  package func register() {
    metrics.gauge(.runningStages) { [self] in running() }
    metrics.gauge(.stalledStages) { [self] in stalled(at: SystemClock.monotonicNanoseconds()) }
  }

  /// - Parameter runtime: the pod's handler.
  func pod<T>(
    _ stage: PodStage, _ runtime: String, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> T
  ) async rethrows -> T {
    try await timed(.podStages, "pod", stage.rawValue, runtime, body)
  }

  /// - Parameter expected: seconds that the stage may well take.
  func container<T>(
    _ stage: ContainerStage, _ runtime: String, expected: Int64 = 0, isolation: isolated (any Actor)? = #isolation,
    _ body: () async throws -> T
  ) async rethrows -> T {
    try await timed(.containerStages, "container", stage.rawValue, runtime, expected: expected, body)
  }

  private func timed<T>(
    _ measure: Measure, _ object: String, _ stage: String, _ runtime: String, expected: Int64 = 0,
    isolation: isolated (any Actor)? = #isolation,
    _ body: () async throws -> T
  ) async rethrows -> T {
    let began = SystemClock.monotonicNanoseconds()
    let stalls = began + Self.patience + min(max(expected, 0), Self.longest) * 1_000_000_000
    let number = state.withLock { state in
      state.next += 1
      state.running[state.next] = Running(object: object, stage: stage, stalls: stalls)
      return state.next
    }
    defer {
      state.withLock { _ = $0.running.removeValue(forKey: number) }
      metrics.observe(measure, Double(SystemClock.monotonicNanoseconds() - began) / 1e9, labels: [stage, runtime])
    }
    return try await body()
  }

  /// Operations by the stage they are in.
  func running() -> [Metrics.Sample] { samples { _ in true } }

  /// - Parameter now: nanoseconds of the monotonic clock.
  func stalled(at now: Int64) -> [Metrics.Sample] { samples { $0.stalls <= now } }

  /// How many operations in each stage are such ones; 0 for a stage that has others.
  private func samples(_ isCounted: (Running) -> Bool) -> [Metrics.Sample] {
    let counts = state.withLock { state in
      state.running.values.reduce(into: [[String]: Double]()) { counts, running in
        counts[[running.object, running.stage], default: 0] += isCounted(running) ? 1 : 0
      }
    }
    return counts.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { .init(labels: $0.key, value: $0.value) }
  }
}
