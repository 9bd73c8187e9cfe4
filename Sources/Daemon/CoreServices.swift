import CNI
import CRIService
import Content
import Core
import Engine
import GRPC
import Linux
import Logging
import Registry
import Settings
import Spec
import Tasks

/// The core's use cases on their implementations, and the surfaces over them.
struct CoreServices: Sendable {
  let pods: PodService
  let garbage: GarbageCollector
  let services: [any GRPCService]
  let stats: StatsService
  let usage: ImageUsage
  let network: CNINetwork

  init(
    _ settings: Configuration, stores: Stores, registry: any RegistrySource & RegistryExplaining & RegistryTarget & RegistryReferrers,
    streaming: any StreamingEndpoint, metrics: Metrics, appArmorProfile: String?, logger: Logger
  ) throws {
    let (content, layers) = (stores.content, stores.layers)
    let events = EventHub(capacity: settings.events.queueLength, patience: settings.events.retention)
    let ledger = Ledger(store: stores.records, events: events, logger: logger)
    let namespaces = ImageNamespaces(store: stores.records, logger: logger)
    let index = namespaces.main
    let known = Set(try layers.list().map(\.id))
    try namespaces.load { image in
      content.contains(image.id) && content.contains(image.manifest) && image.layers.allSatisfy(known.contains)
    }
    let leases = PullLeases(store: stores.records, logger: logger)
    try leases.load()
    garbage = GarbageCollector(
      images: namespaces, ledger: ledger, leases: leases, content: content, layers: layers,
      keepsBlobs: settings.images.keepLayerBlobs, logger: logger)
    let images = ImageService(
      namespaces: namespaces, content: content, layers: layers, registry: registry, garbage: garbage, leases: leases,
      policy: Self.policy(settings.images, logger), recheck: settings.images.recheck, downloads: settings.images.maximumParallelDownloads,
      patience: settings.registry.progressTimeout == .zero ? nil : settings.registry.progressTimeout,
      keepsBlobs: settings.images.keepLayerBlobs, packer: TarPacker(content), metrics: metrics, logger: logger,
      afterPulls: { MemoryPolicy.giveBack() })
    let tree = try CgroupTree.detect()
    stats = StatsService(ledger: ledger, snapshots: stores.snapshots, tree: tree, root: settings.root)
    usage = ImageUsage(root: settings.root, layers: layers, snapshots: stores.snapshots, writable: stats.writable)
    let shim = try settings.shim.executable(beside: Files.parent(of: Process.executable()))
    network = try CNINetwork(CNINetwork.Settings(settings), logger: logger)
    var engine = try EngineSettings(state: settings.state, runtimes: settings.runtimes.paths(), node: NodeFacts.gather())
    engine.messageLimit = settings.grpc.maximumSendSize
    engine.logLineLimit = settings.runtimes.maximumLogLine
    if let least = engine.node.minimumOOMScore {
      logger.warning("oom_score_adj below \(least) cannot be set without CAP_SYS_RESOURCE: such requests get \(least)")
    }
    engine.root = settings.root
    engine.node.hasUserNamespaces = Mounts.mappingProblem(settings.root) == nil
    engine.podDefaults = try settings.pods.defaults()
    engine.podDefaults.hostNetworkHasNoLabels = settings.containers.hostNetworkHasNoLabels
    engine.node.defaults = try settings.containers.defaults()
    engine.node.pidsLimit = settings.containers.pidsLimit > 0 ? Int64(settings.containers.pidsLimit) : nil
    engine.bindMountPrefix = settings.containers.bindMountPrefix.map(ContainerPath.clean)
    engine.enforcesFIPS = settings.containers.fips == "auto" ? engine.node.isFIPS : settings.containers.fips == "enabled"
    engine.rejectedSources = Set(settings.containers.rejectedSources)
    engine.defaultMountsFile = settings.containers.defaultMountsFile
    (engine.linksMountTable, engine.marksContainers) = (settings.containers.linksMountTable, settings.containers.marksContainers)
    engine.ignoresImageVolumes = settings.containers.ignoresImageVolumes
    engine.hostPathLimit = .seconds(settings.containers.hostPathSeconds)
    engine.node.cgroupDriver = CgroupDriver(rawValue: settings.cgroups.driver) ?? .cgroupfs
    engine.shim = ShimPlacement(settings.shim)
    engine.annotations = settings.runtimes.annotations
    engine.handlers = try settings.runtimes.facts(engine.node) { logger.warning("\($0)") }
    engine.networks = settings.runtimes.networks
    engine.sharedProcessors = settings.pods.sharedProcessors
    engine.workloads = try settings.engineWorkloads()
    engine.allowedAnnotations = try settings.runtimes.allowedAnnotations()
    engine.creation = settings.runtimes.creation
    engine.runtimeRoots = settings.runtimes.roots
    engine.platformRuntimes = settings.runtimes.platformPrograms
    engine.node.defaultAppArmorProfile = appArmorProfile
    if settings.containers.ignoresAppArmor { engine.node.hasAppArmor = false }
    engine.node.selinux = try settings.containers.selinuxMode(engine.node)
    engine.levels = SELinuxLevels(categories: settings.containers.selinuxCategories)
    engine.node.cdiDirectories = settings.cdi.directories
    engine.node.hookDirectories = settings.containers.hookDirectories
    engine.node.devicesFollowUser = settings.containers.devicesFollowUser
    var podServices = PodServices(
      ledger: ledger, images: index, tasks: ShimRuntime(shim: shim, cgroups: tree, logger: logger), network: network,
      snapshots: stores.snapshots, layers: layers, content: content, garbage: garbage, cgroups: CgroupReader(tree), settings: engine,
      logger: logger)
    podServices.admission = images.admission
    podServices.pull = { try await images.pull($0, credentials: nil) }
    podServices.processors = ProcessorKeeper(state: settings.state, cgroups: tree, irqbalance: settings.pods.irqbalance, logger: logger)
    podServices.snapshotters = settings.runtimes.snapshotters(stores.snapshotters)
    pods = PodService(podServices)
    NodeMetrics.register(ledger, images, in: metrics)
    let handlers = Set(engine.runtimes.keys)
    services = [
      RuntimeService(
        pods: pods, images: images, node: NodeStatus(settings: engine, network: network, shim: shim), stats: stats,
        metrics: MetricSelection(settings.stats.metrics), streaming: streaming),
      try NamespacedService { [usage] namespace in
        ImageServiceSurface(
          images: try images.within(namespace), usage: usage, pinned: PinnedImages(settings.images.pinned),
          handlers: handlers)
      },
      try NamespacedService { [pods, usage] namespace in
        BerthService(
          images: try images.within(namespace), usage: usage, registry: registry, packer: TarPacker(content), pods: pods,
          streaming: streaming
        ) { path in
          try await ArchiveSource.open(path)
        }
      },
    ]
  }
}

extension CoreServices {
  private static func policy(_ settings: Configuration.Images, _ logger: Logger) -> any ImagePolicy {
    if settings.verifierDirectory.isEmpty { return AnyImage() }
    return VerifierPrograms(directory: settings.verifierDirectory, timeout: settings.verifierTimeout, logger: logger)
  }
}

extension Configuration.Images {
  fileprivate var recheck: ImageAdmission.Recheck {
    switch verifierRecheck {
    case "never": .never
    case "always": .always
    case "changed": .changed
    default: Duration(goSyntax: verifierRecheck).map { .after($0) } ?? .changed
    }
  }
}

extension Configuration.Runtimes {
  /// Handler → program; the empty name is the default handler. A handler whose program is missing is left out, except the default one.
  func paths() throws -> [String: String] {
    var paths: [String: String] = [:]
    for name in handlers.keys { if let path = try? executable(of: name) { paths[name] = path } }
    paths[""] = paths[standard] ?? standard
    return paths
  }
}

extension Configuration.Runtimes {
  /// Of the handlers that name one; the default one's under the empty name too.
  func snapshotters(_ known: [String: any Snapshotter]) -> [String: any Snapshotter] {
    var chosen = handlers.compactMapValues { handler in handler.snapshotter.flatMap { known[$0] } }
    chosen[""] = chosen[standard]
    return chosen
  }
}

extension CNINetwork.Settings {
  init(_ settings: Configuration) {
    self.init()
    root = settings.root
    configurationDirectory = settings.cni.configurationDirectory
    furtherDirectories = Set(settings.runtimes.handlers.values.compactMap(\.networkDirectory)).subtracting([configurationDirectory])
    pluginDirectories = settings.cni.binaryDirectories
    networks = settings.cni.maximumNetworks
    preferred = settings.cni.defaultNetwork
    preference = AddressPreference(rawValue: settings.cni.addressPreference) ?? .ipv4
    template = settings.cni.template ?? ""
    addLimit = .seconds(settings.cni.timeout)
    deleteLimit = min(deleteLimit, addLimit)
    (readyLimit, statusGrace) = (settings.cni.readyTimeout, settings.cni.statusGrace)
    hostPorts = HostPorts(rawValue: settings.cni.hostPorts) ?? .portmap
  }
}
