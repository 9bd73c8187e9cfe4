import CNI
import CRIService
import ContainerdService
import Core
import Engine
import GRPC
import Linux
import Logging
import Metadata
import NIOPosix
import Registry
import Settings
import Spec
import Streaming
import TTRPC
import Tasks
import Traces

/// The running daemon: the only place where implementations are wired together.
struct Daemon: Sendable {
  private let server: GRPCServer
  private let streaming: StreamingServer
  private let metrics: [MetricsServer]
  private let shimEvents: TTRPCServer?
  private let registry: RegistryClient
  private let network: CNINetwork
  private let stores: Stores
  private let loops: MultiThreadedEventLoopGroup
  private let traces: TracePipeline?

  /// How long running calls may take at the end. Operations on pods go on in their shims and are found again.
  private static let grace = Duration.seconds(10)

  /// How long traces may take to be sent at the end.
  private static let lastWords = Duration.seconds(1)

  static func start(_ settings: Configuration, logger: Logger) async throws -> Daemon {
    let started = SystemClock.monotonicNanoseconds()
    try stage("directories") { try StateDirectory.prepare(root: settings.root, state: settings.state, netns: settings.pods.netnsDirectory) }
    let stores = try stage("stores") { try Stores(settings, logger: logger) }
    try await stage("labels of layers") { try await LayerLabel.apply(settings, logger: logger) }
    let newEpoch = try stage("epoch") { try Epoch.begin(state: settings.state) }
    let loops = MultiThreadedEventLoopGroup(numberOfThreads: 2)
    var policy = TransferPolicy()
    policy.stallWindow = settings.registry.stallTimeout
    policy.downloadsPerHost = settings.registry.downloadsPerHost
    let metrics = Metrics(settings.metrics.chosen)
    let traces = try TracePipeline.start(settings.tracing, loops, metrics, logger)
    let registry = RegistryClient(
      hosts: HostsDirectory(roots: settings.registry.configPath, authFile: settings.registry.authFile) { logger.warning("\($0)") },
      helpers: CredentialHelperPrograms(timeout: settings.registry.helperTimeout), group: loops,
      environment: ProcessEnvironment.strings, policy: policy, metrics: metrics, logger: logger)
    let streaming = try await stage("streaming") {
      try await StreamingServer.start(StreamingConfiguration(settings.streaming), logger: logger)
    }
    let core = try CoreServices(
      settings, stores: stores, registry: registry, streaming: streaming, metrics: metrics,
      appArmorProfile: await AppArmorProfile.load(settings, logger: logger), logger: logger)
    let shimEvents = await shimEventServer(core, loops, logger)
    try stage("recovery") { try Recovery(core.pods).begin(newEpoch: newEpoch) }
    core.stats.begin()
    core.usage.begin()
    core.garbage.request()
    let endpoints = await metricsServers(settings.metrics, metrics, logger)
    let server = try await serve(settings, core, metrics, loops, logger)
    let milliseconds = (SystemClock.monotonicNanoseconds() - started) / 1_000_000
    logger.info(
      "serving",
      metadata: [
        "address": "\(settings.grpc.address)", "version": "\(Release.version)", "pid": "\(Process.id)", "ms": "\(milliseconds)",
        "newEpoch": "\(newEpoch)",
      ])
    return Daemon(
      server: server, streaming: streaming, metrics: endpoints, shimEvents: shimEvents, registry: registry, network: core.network,
      stores: stores, loops: loops,
      traces: traces)
  }

  /// Those that can be had: a node runs pods without metrics, too.
  private static func metricsServers(_ settings: Configuration.MetricsEndpoint, _ metrics: Metrics, _ logger: Logger) async
    -> [MetricsServer]
  {
    let tls = settings.tlsCertificate.flatMap { certificate in
      settings.tlsKey.map { StreamingConfiguration.TLS(certificate: certificate, key: $0, clientCA: settings.tlsClientCA) }
    }
    var addresses = settings.socketPaths.map { MetricsServer.Configuration.Address.unix($0) }
    if let place = settings.place { addresses.append(.ip(place.host, port: place.port)) }
    var servers: [MetricsServer] = []
    for address in addresses {
      do {
        let server = try await MetricsServer.start(.init(address, tls: tls), metrics, logger: logger)
        logger.info("metrics are served", metadata: ["address": "\(address)", "port": "\(server.port)"])
        servers.append(server)
      } catch { logger.error("metrics are not served: \(Fault(error))") }
    }
    return servers
  }

  /// Where shims of others send their events; without it they run on, and only what they alone know is missed.
  private static func shimEventServer(_ core: CoreServices, _ loops: MultiThreadedEventLoopGroup, _ logger: Logger) async -> TTRPCServer? {
    let path = core.pods.services.settings.eventSocket
    do { return try await TTRPCServer.start(path, methods: ShimEvents(core.pods).methods, on: loops) } catch {
      logger.error("events of shims are not taken at \(path): \(Fault(error))")
      return nil
    }
  }

  private static func serve(
    _ settings: Configuration, _ core: CoreServices, _ metrics: Metrics, _ loops: MultiThreadedEventLoopGroup, _ logger: Logger
  ) async throws -> GRPCServer {
    var configuration = GRPCServerConfiguration(unixSocket: settings.grpc.address, mode: 0o660)
    configuration.maxRequestSize = settings.grpc.maximumReceiveSize
    configuration.maxResponseSize = settings.grpc.maximumSendSize
    configuration.eventLoops = loops
    try stage("socket") { try Files.makeDirectories(Files.parent(of: settings.grpc.address), mode: 0o711) }
    return try await stage("socket") {
      try await GRPCServer.start(
        configuration, services: core.services + [HealthService(core.services.map(\.name))],
        interceptors: (Tracing.isOn ? [CallSpans()] : []) + [
          CallLog(logger), CallMetrics(metrics), FaultInterceptor(), PodStartCourtesy(),
        ],
        logger: logger)
    }
  }

  /// Takes no more calls, lets the running ones finish, writes what is not durable yet. Pods go on.
  func stop() async {
    await streaming.shutdown()
    for server in metrics { await server.shutdown() }
    await shimEvents?.shutdown()
    await server.shutdown(grace: Self.grace)
    await network.close()
    stores.close()
    await traces?.shutdown(limit: Self.lastWords)
    try? await registry.shutdown()
  }
}
