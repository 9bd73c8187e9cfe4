package import Core
import Linux

/// What the kernel counts of every running container's cgroup, by the names that containerd's endpoint has for it: a set for cgroup v1 and one for v2,
/// each controller in that of its own hierarchy. Read when somebody asks.
package struct TaskMetrics: Sendable {
  /// containerd's namespace of the kubelet's containers.
  private static let namespace = "k8s.io"

  private let ledger: Ledger
  private let reader: CgroupReader

  package init(_ stats: StatsService) { (ledger, reader) = (stats.ledger, stats.reader) }

  package func register(in metrics: Metrics) {
    metrics.source(of: nil) { await collect() }
  }

  /// Threads that are less important than pods' own read it.
  func collect() async -> [Metrics.Family] {
    let containers = ledger.containers().filter { $0.state == .running }.map { ($0.id, $0.plan.cgroup) }.sorted { $0.0 < $1.0 }
    let parts = await BlockingWork.inBatches(of: StatsService.batch, containers, .background, read)
    return parts.reduce(into: TaskSamples()) { $0.add($1) }.families
  }

  @Sendable private func read(_ containers: [(id: String, cgroup: String)]) -> TaskSamples {
    var samples = TaskSamples()
    for container in containers {
      for controller in CgroupReader.Controller.allCases {
        guard let directory = reader.directory(of: container.cgroup, controller) else { continue }
        for figures in TaskFigures.all(of: controller, isUnified: directory.isUnified) {
          samples.add(figures, figures.read(directory.path), labels: [container.id, Self.namespace])
        }
      }
    }
    return samples
  }
}

/// Samples by measure.
private struct TaskSamples: Sendable {
  private var samples: [String: (measure: Measure, samples: [Metrics.Sample])] = [:]

  var families: [Metrics.Family] { samples.values.map { ($0.measure, $0.samples) } }

  mutating func add(_ figures: TaskFigures, _ values: [TaskFigures.Value], labels: [String]) {
    for value in values {
      let measure = figures.measures[value.measure]
      samples[measure.name, default: (measure, [])].samples.append(.init(labels: labels + value.labels, value: value.value))
    }
  }

  mutating func add(_ other: TaskSamples) {
    for (name, family) in other.samples { samples[name, default: (family.measure, [])].samples += family.samples }
  }
}
