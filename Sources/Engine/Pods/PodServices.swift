package import Core
package import Linux
package import Logging
package import OCI
package import Spec
import Synchronization

/// What pods are made of: the contracts that ``PodService`` and ``Pod`` work with.
package struct PodServices: Sendable {
  package let ledger: Ledger
  package let images: ImageIndex
  package let tasks: any TaskRuntime
  package let network: any PodNetwork
  package let snapshots: any Snapshotter
  package let layers: any LayerStore
  package let content: any ContentStore
  package let garbage: GarbageCollector
  package let cgroups: CgroupReader
  package let settings: EngineSettings
  package let logger: Logger
  /// By runtime handler, where that has one of its own; all of one root.
  package var snapshotters: [String: any Snapshotter] = [:]
  /// Brings an image or artifact to this node, with the node's own credentials.
  package var pull: (@Sendable (String) async throws -> ImageRecord)?
  /// Settings that containers want of the processors they have for themselves; `nil` gives none.
  package var processors: ProcessorKeeper?
  /// Asked about an image before a container is made of it; `nil` takes all.
  package var admission: ImageAdmission?
  package var stages = Stages(Metrics())
  package let logTotals = LogTotals()
  let imageLabels = ImageLabels()

  package init(
    ledger: Ledger, images: ImageIndex, tasks: any TaskRuntime, network: any PodNetwork, snapshots: any Snapshotter,
    layers: any LayerStore, content: any ContentStore, garbage: GarbageCollector, cgroups: CgroupReader, settings: EngineSettings,
    logger: Logger
  ) {
    self.ledger = ledger
    self.images = images
    self.tasks = tasks
    self.network = network
    self.snapshots = snapshots
    self.layers = layers
    self.content = content
    self.garbage = garbage
    self.cgroups = cgroups
    self.settings = settings
    self.logger = logger
  }
}

/// Networks of a runtime handler's pods, where they are not the node's (`cni_conf_dir`, `cni_max_conf_num`).
package struct HandlerNetwork: Sendable, Hashable {
  package var directory: String?
  package var count: Int?

  package init(directory: String?, count: Int?) {
    self.directory = directory
    self.count = count
  }
}

/// What is settled for the daemon's whole life.
package struct EngineSettings: Sendable {
  /// `/run/berth`: sandboxes' directories live in `<state>/sandboxes`.
  package var state: String
  /// `/var/lib/berth`: layers live in `<root>/layers`.
  package var root = "/var/lib/berth"
  /// Runtime handlers: name → path of the OCI runtime. The empty name is the default.
  package var runtimes: [String: String]
  /// What the default handler is called.
  package var standardHandler = "runc"
  /// OCI runtimes for images of other platforms, by runtime handler.
  package var platformRuntimes: [String: [Platform: String]] = [:]
  /// What node and daemon can give to containers.
  package var node: NodeFacts

  /// Bytes of a line in one record of a container's log; nil for 16 KiB.
  package var logLineLimit: Int?
  package var podDefaults = PodDefaults()
  package var shim = ShimPlacement()
  /// By runtime handler.
  package var annotations: [String: PassedAnnotations] = [:]
  /// By runtime handler, the default one under the empty name too; what is not here is as the node has it.
  package var handlers: [String: HandlerFacts] = [:]
  package var networks: [String: HandlerNetwork] = [:]
  package var workloads: [Workload] = []
  /// Processors that containers may have besides their own, `0-1`.
  package var sharedProcessors: String?
  /// Annotations that the pods of a runtime handler may change more with than the CRI says, by handler.
  package var allowedAnnotations: [String: AllowedAnnotations] = [:]
  /// Bytes that a container may write beside its volumes at most, by runtime handler; no limit where it is not here.
  package var writableSizes: [String: Int64] = [:]
  /// Where runtimes keep their state, by runtime handler; what is not here is in `<state>/runtime`.
  package var runtimeRoots: [String: String] = [:]
  /// Environment of shims beside a PATH, by runtime handler.
  package var shimEnvironments: [String: [String]] = [:]
  /// How an OCI runtime is to create containers, by runtime handler.
  package var creation: [String: CreationSettings] = [:]
  /// Bytes of one answer. Kubelets take 16 MiB, whatever is configured here.
  package var messageLimit = 16 << 20
  /// How long a host path that a container names may take to answer.
  package var hostPathLimit = Duration.seconds(20)
  /// Of pods on a node with SELinux.
  package var levels = SELinuxLevels(categories: 1024)
  /// Where the host's root is, for the host paths of mounts; nil where it is berthd's own.
  package var bindMountPrefix: String?
  /// Containers are to use cryptography as FIPS 140 has it.
  package var enforcesFIPS = false
  /// Missing host paths that are never made for a container.
  package var rejectedSources: Set<String> = []
  /// A file that says what of the host every container gets a copy of.
  package var defaultMountsFile: String?
  /// VOLUMEs of images are nothing but directories of theirs.
  package var ignoresImageVolumes = false
  /// Containers have /etc/mtab.
  package var linksMountTable = true
  /// Containers have /run/.containerenv.
  package var marksContainers = true
  /// Path of berth-pause, where a runtime handler wants infra containers.
  package var pauseProgram: String?
  /// What each OCI runtime can do, asked when first needed.
  package let runtimeFeatures = RuntimeFeaturesCache()

  package init(state: String, runtimes: [String: String], node: NodeFacts) {
    self.state = state
    self.runtimes = runtimes
    self.node = node
  }

  /// What the handler of pods is called; they may leave the default one's name empty.
  package func handlerName(_ name: String) -> String { name.isEmpty ? standardHandler : name }

  /// What a runtime handler does otherwise than the node says.
  func facts(of handler: String) -> HandlerFacts { handlers[handler] ?? HandlerFacts() }

  /// What a handler's containers can have; of another's shim nothing is known.
  func features(of runtime: String, handler: String) async -> RuntimeFeatures {
    facts(of: handler).isForeign ? .unknown : await runtimeFeatures.of(runtime)
  }

  /// Where containerd's shims send their events, by ttrpc.
  package var eventSocket: String { state + "/events.ttrpc" }

  /// Beside a PATH; nil for no more. Another's shim finds the socket for its events by it.
  func shimEnvironment(_ handler: String) -> [String]? {
    let events = facts(of: handler).isForeign ? ["TTRPC_ADDRESS=" + eventSocket] : []
    let all = events + (shimEnvironments[handler] ?? [])
    return all.isEmpty ? nil : all
  }

  package func sandboxDirectory(_ id: String) -> String { "\(state)/sandboxes/\(id)" }
}
