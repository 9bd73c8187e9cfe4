import Core
import Logging
import OCI
import Support
import Synchronization
import Testing

@testable import Engine

/// What operators are told of pulls under way, and what goes on beside them.
@Suite struct RunningPullsTests {
  private static let layers = (0..<3).map { Descriptor(mediaType: "", digest: .sha256(of: [UInt8($0)]), size: 10_000_000) }

  @Test(.timeLimit(.minutes(1))) func `a pull that takes long is told of again and again: layers, bytes, rate, phases`() async throws {
    #expect(RunningPulls.interval == .seconds(10))
    let journal = Journal()
    let running = RunningPulls(interval: .milliseconds(20), logger: journal.logger)
    let progress = PullProgress()
    try await running.during("localhost/a:1", progress) {
      progress.begin(.init(reference: "localhost/a:1", manifest: .sha256(of: [])), Self.layers)
      progress.set(0, .present)
      progress.set(1, .downloading)
      progress.received(1, 5_000_000)
      while journal.messages.count < 3 { try await Task.sleep(for: .milliseconds(5)) }
    }
    let lines = journal.messages
    #expect(lines.allSatisfy { $0.hasPrefix("pulling ") && $0.contains("localhost/a:1") })
    #expect(lines[0].contains("1 of 3 layers, 15 of 30 MB, ") && lines[0].contains(" MB/s, 1 waiting, 1 downloading"), "\(lines[0])")
    // Rates are of the time since the line before: nothing came any more.
    #expect(lines[2].contains(", 0.0 MB/s, "), "\(lines[2])")
    #expect(running.list().isEmpty)
    let ended = lines.count
    try await Task.sleep(for: .milliseconds(100))
    #expect(journal.messages.count == ended, "one that is over is not told of")
  }

  @Test func `pulls are counted by how they end, their layers by whether they were there`() async throws {
    let metrics = Metrics()
    let running = RunningPulls(metrics: metrics, logger: Logger(label: "test"))
    let progress = PullProgress()
    try await running.during("localhost/a:1", progress) {
      progress.begin(.init(reference: "localhost/a:1", manifest: .sha256(of: [])), Self.layers)
      progress.set(0, .present)
    }
    await #expect(throws: Fault.self) { try await running.during("localhost/b", PullProgress()) { throw Fault(.notFound, "no") } }
    let text = PrometheusText.render(await metrics.collect())
    for line in [
      #"berth_image_pulls_total{result="ok"} 1"#, #"berth_image_pulls_total{result="notFound"} 1"#,
      #"berth_image_layers_total{source="present"} 1"#,
      #"berth_image_layers_total{source="fetched"} 2"#,
    ] {
      #expect(text.contains(line), "\(line) is not in:\n\(text)")
    }
  }

  /// Layers whose removal takes as long as a test wants.
  private final class SlowRemoval: LayerStore {
    let base = MemoryLayers()
    let isRemoving = Mutex(false)
    let mayGoOn = Mutex(false)

    func find(_ diffID: Digest, chainID: Digest) -> LayerInfo? { base.find(diffID, chainID: chainID) }
    func ingest(_ layer: LayerDescription) async throws -> any LayerIngest { try await base.ingest(layer) }
    func commit(_ id: LayerID) async throws { try await base.commit(id) }
    func place(_ layer: any AppliedLayer, above parents: [LayerID]) async throws -> LayerInfo {
      try await base.place(layer, above: parents)
    }
    func replace(_ id: LayerID, with layer: any AppliedLayer, above parents: [LayerID]) async throws {}
    func discard(_ layer: any AppliedLayer) async { await base.discard(layer) }
    func list() throws -> [LayerInfo] { try base.list() }
    func verify(_ id: LayerID) async throws -> [String] { [] }
    func sweep() async {}
    func readFile(_ path: String, in layers: [LayerID], limit: Int) throws -> [UInt8]? { nil }
    func places(_ paths: [String], in layers: [LayerID]) throws -> [ImagePlace] { paths.map { ImagePlace($0, .absent) } }

    func remove(_ id: LayerID) async throws {
      isRemoving.withLock { $0 = true }
      while !mayGoOn.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(2)) }
      try await base.remove(id)
    }
  }

  @Test(.timeLimit(.minutes(1))) func `a pull does not wait for what is being deleted`() async throws {
    let logger = Logger(label: "test")
    let (layers, content, registry) = (SlowRemoval(), MemoryContent(), MemoryRegistry())
    registry.add("old", layers: ["old"])
    registry.add("new", layers: ["new"])
    let namespaces = ImageNamespaces(store: MemoryRecords(), logger: logger)
    let leases = PullLeases(store: MemoryRecords(), logger: logger)
    let garbage = GarbageCollector(
      images: namespaces, ledger: Ledger(store: MemoryRecords(), logger: logger), leases: leases, content: content, layers: layers,
      logger: logger)
    let service = ImageService(
      namespaces: namespaces, content: content, layers: layers, registry: registry, garbage: garbage, leases: leases, downloads: 4,
      platform: Platform(os: "linux", architecture: "amd64"), logger: logger)
    _ = try await service.pull("localhost/old", credentials: nil)
    try await service.remove("localhost/old")
    while !layers.isRemoving.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(2)) }
    let pulled = try await service.pull("localhost/new", credentials: nil)
    #expect(pulled.layers.count == 1)
    layers.mayGoOn.withLock { $0 = true }
    while try layers.list().count > 1 { try await Task.sleep(for: .milliseconds(2)) }
    #expect(try layers.list().map(\.id) == pulled.layers)
  }
}
