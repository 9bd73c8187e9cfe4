package import CRIAPI
import Core
import FoundationEssentials
import Linux
import Logging
import OCI
import Spec

extension Pod {
  /// Changes a container's limits, at once where it lives; they hold over a restart of the daemon. Updates of one container come after each
  /// other. FAILED_PRECONDITION where the kernel or this node cannot do what is asked: then nothing has changed.
  ///
  /// Those of a container that has ended are remembered and no more: a kubelet that resizes a pod gives up on all of its containers for an error of
  /// one, and that one may have ended meanwhile.
  package nonisolated func updateContainer(
    _ container: String, _ asked: Runtime_V1_LinuxContainerResources, annotations: [String: String]
  ) async throws {
    try await stage("container \(container): update") {
      try await updates.with(container) { [self] in try await updateNow(container, asked, annotations) }
    }
  }

  private nonisolated func updateNow(
    _ container: String, _ asked: Runtime_V1_LinuxContainerResources, _ annotations: [String: String]
  ) async throws {
    let isAlive = try await awaitCgroup(container)
    let record = try ledger.container(container)
    let update = try ResourceUpdate(asked, over: record.resources)
    let adapted = try services.settings.adapted(asked, of: record, in: try ledger.sandbox(id))
    let actual = try ResourceUpdate(adapted, over: record.resources)
    if isAlive {
      do { try await enforce(actual, on: record) } catch {
        guard try await hasEnded(container) else { throw error }
      }
    }
    try await remember(update, annotations, of: container)
    do { try rewriteSpec(record, actual) } catch {
      logger.warning("container \(container): its spec keeps the old limits: \(Fault(error))")
    }
    logger.info("container's limits changed", metadata: ["container": "\(container)"])
  }

  private nonisolated func enforce(_ update: ResourceUpdate, on record: ContainerRecord) async throws {
    // In a machine the limits are the guest's to keep.
    if record.plan.foreign != nil { return try await tellRuntime(of: update, for: record) }
    let writer = LimitWriter(reader: services.cgroups, node: services.settings.node, cgroup: record.plan.cgroup)
    let earlier = try await BlockingWork.run { try writer.apply(update) }
    if record.plan.systemdCgroup == true {
      do { try await tellRuntime(of: update, for: record) } catch {
        await BlockingWork.run { earlier.putBack() }
        throw error
      }
    }
  }

  /// systemd puts its own figures back whenever it is reloaded, so that it has to know of new ones: the runtime tells it. By then the kernel has taken
  /// them: what it refuses is not left to the runtime, which would go on with figures that are not in force.
  private nonisolated func tellRuntime(of update: ResourceUpdate, for record: ContainerRecord) async throws {
    let (resources, _) = try LinuxResources.make(update.told, node: services.settings.node)
    let path = record.plan.bundle + "/update.json"
    try Files.write(Array(try JSONEncoder().encode(resources)), to: path)
    defer { try? Files.remove(path) }
    let driver = record.plan.systemdCgroup == true ? ["--systemd-cgroup"] : []
    let arguments = ["--root", record.plan.runtimeRoot] + driver + ["update", "--resources", path, record.id]
    let environment = try ledger.sandbox(id).plan.runtimeEnvironment
    let output = try await Command.run(record.plan.runtime, arguments, environment: environment, timeout: .seconds(30))
    if output.succeeded { return }
    let lines = String(decoding: output.stderr, as: UTF8.self).split(separator: "\n")
    let reason = lines.last { $0.contains("level=error") } ?? lines.last ?? "it failed without a word"
    throw Fault(.failedPrecondition, "OCI runtime update: \(reason)")
  }

  /// A container that is still being created has its limits set by the runtime: ours come after. False where there is no cgroup any more: it has
  /// ended, or could not be created, which its start will tell.
  nonisolated func awaitCgroup(_ container: String) async throws -> Bool {
    while true {
      let record = try ledger.container(container)
      if record.exit != nil { return false }
      guard record.state == .created else { return true }
      switch try await phase(of: container) {
      case .creating: try await Task.sleep(for: .milliseconds(5))
      case .created, .running: return true
      case .stopped, nil: return false
      }
    }
  }

  /// The shim knows of an exit before the ledger does.
  private nonisolated func hasEnded(_ container: String) async throws -> Bool {
    if try ledger.container(container).exit != nil { return true }
    switch try await phase(of: container) {
    case .creating, .created, .running: return false
    case .stopped, nil: return true
    }
  }

  private nonisolated func phase(of container: String) async throws -> TaskState.Phase? {
    try await task().states().first { $0.id == container }?.phase
  }

  private func remember(_ update: ResourceUpdate, _ annotations: [String: String], of container: String) throws {
    try ledger.updateContainer(container) {
      $0.updatedResources = StoredMessage(update.result)
      if !annotations.isEmpty { $0.updateAnnotations = ($0.updateAnnotations ?? [:]).merging(annotations) { _, new in new } }
    }
  }

  /// What the bundle says of the container, for whoever reads it there. An exec gets its oom_score_adj after its start (``score(_:)``).
  private nonisolated func rewriteSpec(_ record: ContainerRecord, _ update: ResourceUpdate) throws {
    let path = record.plan.bundle + "/config.json"
    var spec = try JSONDecoder().decode(RuntimeSpec.self, from: Data(try Files.read(path)))
    let (resources, _) = try LinuxResources.make(update.told, node: services.settings.node)
    spec.linux.resources = spec.linux.resources?.updated(with: resources) ?? resources
    if spec.process.execCPUAffinity != nil, let first = CPUSet(update.asked.cpusetCpus)?.first {
      spec.process.execCPUAffinity = RuntimeSpec.Affinity("\(first)")
    }
    if update.asked.oomScoreAdj != 0 {
      spec.process.oomScoreAdj = services.settings.node.oomScore(update.asked.oomScoreAdj)
    }
    try Files.replace(path, with: Array(try JSONEncoder().encode(spec)), durable: false)
  }

  /// Remembers a pod's new sums. Its cgroup is the kubelet's own and stays untouched.
  package func updateSandbox(
    overhead: Runtime_V1_LinuxContainerResources?, resources: Runtime_V1_LinuxContainerResources?
  ) throws {
    guard try ledger.sandbox(id).state == .ready else { throw Fault(.failedPrecondition, "pod \(name): sandbox \(id) is not ready") }
    try ledger.updateSandbox(id) {
      if let overhead { $0.updatedOverhead = StoredMessage(overhead) }
      if let resources { $0.updatedResources = StoredMessage(resources) }
    }
  }
}

extension PodService {
  package func updateContainer(
    _ id: String, _ asked: Runtime_V1_LinuxContainerResources, annotations: [String: String]
  ) async throws {
    let record = try ledger.findContainer(id)
    try Validation.check(update: asked, annotations: annotations)
    try await pod(of: ledger.sandbox(record.sandboxID)).updateContainer(record.id, asked, annotations: annotations)
  }

  package func updateSandbox(
    _ id: String, overhead: Runtime_V1_LinuxContainerResources?, resources: Runtime_V1_LinuxContainerResources?
  ) async throws {
    let record = try ledger.findSandbox(id)
    if let overhead { try Validation.check(overhead, "overhead") }
    if let resources { try Validation.check(resources, "resources") }
    try await pod(of: record).updateSandbox(overhead: overhead, resources: resources)
  }
}
