import CRIAPI
import Core
import FoundationEssentials
import Linux
package import Spec

/// A kind of pods, told by an annotation, whose containers have other CPU limits than the kubelet says (`[workloads.NAME]`, as CRI-O has them): for
/// pods of the node's own management that are kept to a few processors.
package struct Workload: Sendable, Hashable {
  /// A container's; what is nil stays as the kubelet says.
  package struct Resources: Sendable, Hashable, Decodable {
    package var cpushares: Int64?
    package var cpuquota: Int64?
    package var cpuperiod: Int64?
    /// Thousandths of a processor.
    package var cpulimit: Int64?
    package var cpuset: String?

    package init() {}
  }

  package var name: String
  package var activation: String
  /// Of annotations with a container's own limits, `PREFIX/CONTAINER`; empty for none.
  package var prefix: String
  package var allowed: AllowedAnnotations
  package var standard: Resources

  package init(name: String, activation: String, prefix: String, allowed: AllowedAnnotations, standard: Resources) {
    self.name = name
    self.activation = activation
    self.prefix = prefix
    self.allowed = allowed
    self.standard = standard
  }

  /// A container's limits: its own over those of all. INVALID_ARGUMENT where the annotation is not what it should be.
  func resources(of container: String, in pod: Runtime_V1_PodSandboxConfig) throws(Fault) -> Resources {
    guard !prefix.isEmpty, let text = pod.annotations["\(prefix)/\(container)"] else { return standard }
    return try stage("annotation \(prefix)/\(container)") {
      guard var own = try? JSONDecoder().decode(Resources.self, from: Data(text.utf8)), own.isPossible else {
        throw Fault(.invalidArgument, "\"\(text.prefix(200))\" is no JSON with cpushares, cpuquota, cpuperiod, cpulimit or cpuset")
      }
      own.fill(from: standard)
      return own
    }
  }
}

extension Workload.Resources {
  fileprivate var isPossible: Bool {
    let figures: [(Int64?, ClosedRange<Int64>)] = [
      (cpushares, 0...262_144), (cpuquota, -1...(1 << 40)), (cpuperiod, 0...1_000_000), (cpulimit, 0...(1 << 24)),
    ]
    return figures.allSatisfy { figure, range in figure.map { range.contains($0) } ?? true } && cpuset.map { CPUSet($0) != nil } ?? true
  }

  fileprivate mutating func fill(from other: Self) {
    cpushares = cpushares ?? other.cpushares
    cpuquota = cpuquota ?? other.cpuquota
    cpuperiod = cpuperiod ?? other.cpuperiod
    cpulimit = cpulimit ?? other.cpulimit
    cpuset = cpuset ?? other.cpuset
  }

  /// Zero and empty leave what is there, as everywhere in the CRI.
  func apply(to limits: inout Runtime_V1_LinuxContainerResources) {
    if let shares = cpushares, shares > 0 { limits.cpuShares = shares }
    if let period = cpuperiod, period > 0 { limits.cpuPeriod = period }
    if let quota = cpuquota, quota != 0 { limits.cpuQuota = quota }
    if let limit = cpulimit, limit > 0 {
      if limits.cpuPeriod <= 0 { limits.cpuPeriod = 100_000 }
      // A period that no kernel takes is refused later on; of quotas, the least that it takes.
      limits.cpuQuota = max(1000, limit * min(limits.cpuPeriod, 1_000_000) / 1000)
    }
    if let processors = cpuset, !processors.isEmpty { limits.cpusetCpus = processors }
  }
}

extension EngineSettings {
  /// The workload that a pod belongs to; of several the first by name.
  func workload(_ pod: Runtime_V1_PodSandboxConfig) -> Workload? { workloads.first { pod.annotations[$0.activation] != nil } }

  /// The annotations that this pod may use.
  func allowed(_ pod: Runtime_V1_PodSandboxConfig, handler: String) -> AllowedAnnotations {
    var ofHandler = allowedAnnotations[handler] ?? AllowedAnnotations()
    ofHandler.standard = handlers[handler]?.defaultAnnotations ?? [:]
    return workload(pod).map { ofHandler.union($0.allowed) } ?? ofHandler
  }

  /// A container's config with the limits of its pod's workload. Only its spec is made of it: what was asked for stays on record.
  func withWorkload(_ config: Runtime_V1_ContainerConfig, in pod: Runtime_V1_PodSandboxConfig) throws(Fault) -> Runtime_V1_ContainerConfig {
    guard let workload = workload(pod) else { return config }
    var config = config
    try workload.resources(of: config.metadata.name, in: pod).apply(to: &config.linux.resources)
    return config
  }
}
