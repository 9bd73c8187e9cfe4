import Synchronization

/// What the daemon counts, in memory, for whoever asks. Labels come from small sets; should one not, the rest of its values counts as `other`.
package final class Metrics: Sendable {
  package struct Sample: Sendable, Equatable {
    package var labels: [String]
    /// Of a counter or gauge; the sum of a histogram.
    package var value: Double
    /// Of a histogram: how many were at or below each bound, and in all.
    package var buckets: [UInt64] = []
    package var count: UInt64 = 0

    package init(labels: [String], value: Double) {
      self.labels = labels
      self.value = value
    }
  }

  package typealias Family = (measure: Measure, samples: [Sample])

  /// What one measure counted, by its labels.
  private struct Series {
    var samples: [[String]: Sample] = [:]

    mutating func change(_ labels: [String], _ body: (inout Sample) -> Void) {
      let isKnown = samples.count < Metrics.limit || samples[labels] != nil
      let labels = isKnown ? labels : labels.map { _ in "other" }
      body(&samples[labels, default: Sample(labels: labels, value: 0)])
    }
  }

  private struct State {
    var samples: [Measure: Series] = [:]
    var sources: [@Sendable () async -> [Family]] = []
  }

  /// Label sets of one measure.
  package static let limit = 256

  private let state = Mutex(State())
  private let collectors: Set<Collector>

  /// - Parameter collectors: what is told; the rest is neither told nor read.
  package init(_ collectors: Set<Collector> = Set(Collector.allCases)) { self.collectors = collectors }

  /// Adds to a counter or gauge; 0 makes it known before anything happens.
  package func add(_ measure: Measure, _ amount: Double = 1, labels: [String] = []) {
    change(measure, labels) { $0.value += amount }
  }

  /// One more observation of a histogram.
  package func observe(_ measure: Measure, _ value: Double, labels: [String] = []) {
    change(measure, labels) { sample in
      if sample.buckets.isEmpty { sample.buckets = Array(repeating: 0, count: measure.bounds.count) }
      for (index, bound) in measure.bounds.enumerated() where value <= bound { sample.buckets[index] += 1 }
      sample.value += value
      sample.count += 1
    }
  }

  /// The seconds since then.
  package func observe(_ measure: Measure, since start: ContinuousClock.Instant, labels: [String] = []) {
    observe(measure, (ContinuousClock.now - start) / .seconds(1), labels: labels)
  }

  /// A measure that is read when somebody asks.
  package func gauge(_ measure: Measure, _ read: @escaping @Sendable () async -> [Sample]) {
    source(of: Collector(of: measure)) { [(measure, await read())] }
  }

  /// Several that are read together.
  package func source(of collector: Collector?, _ read: @escaping @Sendable () async -> [Family]) {
    if let collector, !collectors.contains(collector) { return }
    state.withLock { $0.sources.append(read) }
  }

  private func change(_ measure: Measure, _ labels: [String], _ body: (inout Sample) -> Void) {
    state.withLock { state in
      state.samples[measure, default: Series()].change(labels, body)
    }
  }

  /// Everything there is, by name.
  package func collect() async -> [Family] {
    let (samples, sources) = state.withLock { ($0.samples, $0.sources) }
    var all: [Family] = samples.filter { Collector(of: $0.key).map(collectors.contains) ?? true }
      .map { ($0.key, $0.value.samples.values.sorted { $0.labels.lexicographicallyPrecedes($1.labels) }) }
    for read in sources { all += await read() }
    return all.sorted { $0.measure.name < $1.measure.name }
  }
}
