import CNI
import CRIService
import ContainerdService
import Content
import Core
import Engine
import GRPC
import Linux
import Logging
import Registry
import Settings
import Tasks

/// The core's use cases on their implementations, and the surfaces over them.
struct CoreServices: Sendable {
  typealias Registry = RegistrySource & RegistryExplaining & RegistryTarget & RegistryReferrers

  let pods: PodService
  let garbage: GarbageCollector
  let services: [any GRPCService]
  let stats: StatsService
  let usage: ImageUsage
  let network: CNINetwork

  init(
    _ settings: Configuration, stores: Stores, registry: any Registry, streaming: any StreamingEndpoint, metrics: Metrics,
    appArmorProfile: String?, logger: Logger
  ) throws {
    let events = EventHub(capacity: settings.events.queueLength, patience: settings.events.retention, metrics: metrics)
    let exchange = EventExchange(capacity: settings.events.queueLength, metrics: metrics)
    let ledger = Ledger(store: stores.records, events: events, exchange: exchange, logger: logger)
    let store = try ImageCore(settings, stores: stores, ledger: ledger, registry: registry, metrics: metrics, logger: logger)
    let tree = try CgroupTree.detect()
    garbage = store.garbage
    stats = StatsService(
      ledger: ledger, snapshots: stores.snapshots, tree: tree, root: settings.root, periods: .init(settings.stats),
      foreign: { plan in
        do { return try await ForeignStats.figures(of: plan) } catch {
          logger.debug("container \(plan.id): figures: \(Fault(error))")
          return nil
        }
      })
    usage = ImageUsage(root: settings.root, layers: stores.layers, snapshots: stores.snapshots, writable: stats.writable)
    network = try CNINetwork(CNINetwork.Settings(settings), metrics: metrics, logger: logger)
    let shim = try settings.shim.executable(beside: Files.parent(of: Process.executable()))
    let engine = try EngineSettings(settings, shim: shim, appArmorProfile: appArmorProfile, logger: logger)
    let tasks = ShimRuntime(shim: shim, cgroups: tree, logger: logger)
    var services = Self.podServices(
      settings, engine, stores, store, ledger: ledger, network: network, tasks: tasks, tree: tree, logger: logger)
    services.stages = Stages(metrics)
    pods = PodService(services)
    NodeMetrics.register(pods, store.images, in: metrics)
    if settings.metrics.containers { TaskMetrics(stats).register(in: metrics) }
    let surfaces = Surfaces(settings: settings, images: store.images, usage: usage, pods: pods, streaming: streaming)
    self.services = [
      surfaces.runtime(NodeStatus(settings: engine, network: network, shim: shim), stats),
      try surfaces.images(handlers: Set(engine.runtimes.keys)), try surfaces.berth(registry, stores.content),
      EventsService(exchange),
    ]
  }

  private static func podServices(
    _ settings: Configuration, _ engine: EngineSettings, _ stores: Stores, _ store: ImageCore, ledger: Ledger, network: CNINetwork,
    tasks: ShimRuntime, tree: CgroupTree, logger: Logger
  ) -> PodServices {
    let exchange = ledger.exchange
    var services = PodServices(
      ledger: ledger, images: store.namespaces.main, tasks: tasks, network: network, snapshots: stores.announcedSnapshots(exchange),
      layers: store.layers, content: store.content, garbage: store.garbage, cgroups: CgroupReader(tree), settings: engine, logger: logger)
    services.admission = store.images.admission
    let images = store.images
    services.pull = { try await images.pull($0, credentials: nil) }
    services.processors = ProcessorKeeper(state: settings.state, cgroups: tree, irqbalance: settings.pods.irqbalance, logger: logger)
    services.snapshotters = settings.runtimes.snapshotters(stores.announcedSnapshotters(exchange))
    return services
  }
}

extension StatsService.Periods {
  fileprivate init(_ settings: Configuration.Stats) {
    self.init()
    (cpu, disk) = (settings.cpuPeriod == .zero ? nil : settings.cpuPeriod, settings.diskPeriod)
  }
}

/// What clients see of the core: one service of gRPC each.
private struct Surfaces {
  let settings: Configuration
  let images: ImageService
  let usage: ImageUsage
  let pods: PodService
  let streaming: any StreamingEndpoint

  func runtime(_ node: NodeStatus, _ stats: StatsService) -> any GRPCService {
    RuntimeService(
      pods: pods, images: images, node: node, stats: stats, metrics: MetricSelection(settings.stats.metrics), streaming: streaming)
  }

  func images(handlers: Set<String>) throws -> any GRPCService {
    let pinned = PinnedImages(settings.images.pinned)
    return try NamespacedService { [images, usage] namespace in
      ImageServiceSurface(images: try images.within(namespace), usage: usage, pinned: pinned, handlers: handlers)
    }
  }

  func berth(_ registry: any CoreServices.Registry, _ content: BlobDirectory) throws -> any GRPCService {
    try NamespacedService { [images, usage, pods, streaming] namespace in
      BerthService(
        images: try images.within(namespace), usage: usage, registry: registry, packer: TarPacker(content), pods: pods,
        streaming: streaming
      ) { path in
        try await ArchiveSource.open(path)
      }
    }
  }
}
