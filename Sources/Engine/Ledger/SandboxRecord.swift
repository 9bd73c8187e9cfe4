package import CRIAPI
package import Core

/// A pod sandbox as Berth remembers it.
package struct SandboxRecord: LedgerRecord, Codable, Hashable {
  package static let noun = "pod sandbox"

  package enum State: String, Sendable, Codable {
    /// Intent: RunPodSandbox is at work. May become `ready`, or `notReady` where it failed and could not be taken back; after a restart it is rolled
    /// back. Not listed.
    case creating
    /// May become `notReady`.
    case ready
    /// Stopped, or its shim died. Stays until removed.
    case notReady
  }

  package enum Remains: String, Sendable, Codable {
    /// Nobody was ever given it: it goes by itself as soon as it can.
    case ofFailedStart
    /// Stays until removed.
    case ofDeadShim
  }

  package let id: String
  package let config: StoredMessage<Runtime_V1_PodSandboxConfig>
  /// Name of the runtime handler, as asked for (empty for the default).
  package let runtimeHandler: String
  /// Nanoseconds since the epoch.
  package let createdAt: Int64
  package var state: State
  package let plan: SandboxPlan
  /// The container that stands for the pod itself, by the sandbox's own ID; nil where its handler wants none. Nobody is told of it.
  package var infra: ContainerPlan?
  package var addresses: [String]
  /// The pod's holder; 0 where there is none.
  package var holderPID: Int32
  /// A network attachment exists or may exist and must be taken down.
  package var attached: Bool
  /// Processes, mounts or cgroups of it may be there still: they are cleared away before the record goes.
  package var remains: Remains?
  /// As UpdatePodSandboxResources left them; nil while they are those of the config.
  package var updatedOverhead: StoredMessage<Runtime_V1_LinuxContainerResources>?
  package var updatedResources: StoredMessage<Runtime_V1_LinuxContainerResources>?

  package init(
    id: String, config: Runtime_V1_PodSandboxConfig, runtimeHandler: String, createdAt: Int64, plan: SandboxPlan
  ) {
    self.id = id
    self.config = StoredMessage(config)
    self.runtimeHandler = runtimeHandler
    self.createdAt = createdAt
    self.state = .creating
    self.plan = plan
    self.addresses = []
    self.holderPID = 0
    self.attached = false
  }

  /// `namespace/name`, as errors and logs name a pod.
  package var podName: String { "\(config.content.metadata.namespace)/\(config.content.metadata.name)" }
}
