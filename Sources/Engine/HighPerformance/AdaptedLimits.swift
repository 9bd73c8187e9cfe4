import CRIAPI
import Core
import FoundationEssentials
import Linux
import Spec
import SwiftProtobuf

/// A container's limits and processors as the pod's workload and annotations have them, instead of as the kubelet says. Only its spec is made of that:
/// what was asked for stays on record.
extension EngineSettings {
  func adapted(_ config: Runtime_V1_ContainerConfig, in sandbox: SandboxRecord) throws(Fault) -> Runtime_V1_ContainerConfig {
    var config = try withWorkload(config, in: sandbox.config.content)
    let shared = try sharedProcessors(config, in: sandbox)
    if let housekeeping = try housekeepingProcessors(config, shared, in: sandbox) {
      config.envs.append(.with { ($0.key, $0.value) = ("OPENSHIFT_HOUSEKEEPING_CPUS", Data("\(housekeeping)".utf8)) })
    }
    return shared.map { withShared($0, config) } ?? config
  }

  /// Where the container's interrupts go if only some of its processors take any. The variable is one that programs for CRI-O know.
  private func housekeepingProcessors(_ config: Runtime_V1_ContainerConfig, _ shared: CPUSet?, in sandbox: SandboxRecord) throws(Fault)
    -> CPUSet?
  {
    guard let tuning = try tuning(config, shared: shared, in: sandbox), tuning.interrupts == .housekeeping else { return nil }
    return CPUSet(tuning.processors).map { ProcessorFiles().housekeeping(of: $0) }
  }

  /// An update's limits likewise: a kubelet's CPU manager knows of no processors but the container's own.
  func adapted(_ asked: Runtime_V1_LinuxContainerResources, of record: ContainerRecord, in sandbox: SandboxRecord) throws(Fault)
    -> Runtime_V1_LinuxContainerResources
  {
    if asked.cpusetCpus.isEmpty && asked.cpuQuota <= 0 { return asked }
    var config = try current(record, in: sandbox)
    let before = config.linux.resources
    config.linux.resources = asked
    if asked.cpusetCpus.isEmpty { config.linux.resources.cpusetCpus = before.cpusetCpus }
    if asked.cpuShares == 0 { config.linux.resources.cpuShares = before.cpuShares }
    guard let shared = try sharedProcessors(config, in: sandbox) else { return asked }
    return withShared(shared, config).linux.resources
  }

  /// What the pod's annotations want for the container's processors; nil where they want nothing.
  func tuning(_ record: ContainerRecord, in sandbox: SandboxRecord) throws(Fault) -> ProcessorTuning? {
    let config = try current(record, in: sandbox)
    return try tuning(config, shared: try sharedProcessors(config, in: sandbox), in: sandbox)
  }

  private func tuning(_ config: Runtime_V1_ContainerConfig, shared: CPUSet?, in sandbox: SandboxRecord) throws(Fault) -> ProcessorTuning? {
    try ProcessorTuning(
      config.linux.resources, of: config.metadata.name, shared: shared, in: sandbox.config.content, allowed(sandbox))
  }

  /// The processor that an exec keeps to, where the pod's handler wants that and the container is bound to some: of those that it shares, so that its
  /// own are left alone.
  /// - Parameter config: with the limits of the pod's workload.
  func execProcessor(_ config: Runtime_V1_ContainerConfig, in sandbox: SandboxRecord) throws(Fault) -> Int? {
    guard facts(of: sandbox.runtimeHandler).execsOnFirstProcessor else { return nil }
    return try sharedProcessors(config, in: sandbox)?.first ?? CPUSet(config.linux.resources.cpusetCpus)?.first
  }

  /// With the limits that it has now.
  func current(_ record: ContainerRecord, in sandbox: SandboxRecord) throws(Fault) -> Runtime_V1_ContainerConfig {
    var config = try withWorkload(record.config.content, in: sandbox.config.content)
    if let updated = record.updatedResources?.content { config.linux.resources = updated }
    return config
  }

  func allowed(_ sandbox: SandboxRecord) -> AllowedAnnotations { allowed(sandbox.config.content, handler: sandbox.runtimeHandler) }

  /// Processors that a container has besides its own; nil where it wants none. FAILED_PRECONDITION where there are none to share.
  private func sharedProcessors(_ config: Runtime_V1_ContainerConfig, in sandbox: SandboxRecord) throws(Fault) -> CPUSet? {
    let (pod, name) = (sandbox.config.content, config.metadata.name)
    guard ProcessorTuning.isExclusive(config.linux.resources, pod),
      allowed(sandbox).value(.cpuShared, in: pod.annotations, container: name) == "enable"
    else { return nil }
    if let shared = sharedProcessors.flatMap({ CPUSet($0) }) { return shared }
    throw Fault(
      .failedPrecondition,
      "annotation \(ExperimentalAnnotation.cpuShared.rawValue)/\(name): this node has no processors to share ([pods] shared_cpuset)")
  }

  /// The names of the variables are those that programs for CRI-O know.
  private func withShared(_ shared: CPUSet, _ config: Runtime_V1_ContainerConfig) -> Runtime_V1_ContainerConfig {
    var config = config
    let own = CPUSet(config.linux.resources.cpusetCpus) ?? CPUSet()
    let all = own.union(shared)
    config.linux.resources.cpusetCpus = "\(all)"
    if config.linux.resources.cpuQuota > 0 {
      let period = config.linux.resources.cpuPeriod
      // A period that no kernel takes is refused later on.
      config.linux.resources.cpuQuota = Int64(all.count) * (period > 0 ? min(period, 1_000_000) : 100_000)
    }
    for (name, processors) in [("OPENSHIFT_ISOLATED_CPUS", own), ("OPENSHIFT_SHARED_CPUS", shared)] {
      config.envs.append(.with { ($0.key, $0.value) = (name, Data("\(processors)".utf8)) })
    }
    return config
  }
}
