import CRIAPI
import Engine
import Linux
import SwiftProtobuf

/// One metric: how it is called, what it says, and how it is found. The names are those of containerd and CRI-O, which are cAdvisor's.
struct MetricFamily: Sendable {
  /// What values come from: a pod or one of its containers.
  struct Subject {
    var group: GroupDetails?
    var network: [NetworkCounters] = []
    var container: ContainerDetails?
    var filesystem: FilesystemCapacity?
  }

  typealias Value = (labels: [String], value: UInt64)

  /// In the order of every metric's first label values.
  static let baseLabels = ["pod", "namespace", "container", "id", "image"]

  let name: String
  let help: String
  let type: Runtime_V1_MetricType
  let labels: [String]
  let values: @Sendable (Subject) -> [Value]

  init(
    _ name: String, _ type: Runtime_V1_MetricType, _ help: String, labels: [String] = [], _ values: @escaping @Sendable (Subject) -> [Value]
  ) {
    (self.name, self.help, self.type, self.labels, self.values) = ("container_" + name, help, type, labels, values)
  }

  /// One value or none.
  static func one(
    _ name: String, _ type: Runtime_V1_MetricType, _ help: String, _ value: @escaping @Sendable (GroupDetails) -> UInt64?
  ) -> MetricFamily {
    MetricFamily(name, type, help) { subject in subject.group.flatMap(value).map { [([], $0)] } ?? [] }
  }

  var descriptor: Runtime_V1_MetricDescriptor {
    .with {
      $0.name = name
      $0.help = help
      $0.labelKeys = Self.baseLabels + labels
    }
  }

  func metrics(_ subject: Subject, base: [String], at: Int64) -> [Runtime_V1_Metric] {
    values(subject).map { value in
      .with {
        $0.name = name
        $0.timestamp = at
        $0.metricType = type
        $0.labelValues = base + value.labels
        $0.value = .of(value.value)
      }
    }
  }

  /// A metric's value is a whole number in the CRI: seconds are cut, never rounded up, so that a counter does not run ahead. The exact ones
  /// are beside them in nanoseconds.
  static func seconds(_ nanoseconds: UInt64) -> UInt64 { nanoseconds / 1_000_000_000 }
}
