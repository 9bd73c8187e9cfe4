import Core
import Logging
import OCI
import Synchronization
import Testing

@testable import Engine

/// Images that share layers in any order, or have one twice, are pulled at once without waiting for each other for ever.
@Suite struct LayerPullTests {
  private let layers = MemoryLayers()

  private func service(_ registry: MemoryRegistry) -> ImageService {
    let logger = Logger(label: "test")
    let namespaces = ImageNamespaces(store: MemoryRecords(), logger: logger)
    let content = MemoryContent()
    let ledger = Ledger(store: MemoryRecords(), logger: logger)
    let leases = PullLeases(store: MemoryRecords(), logger: logger)
    let garbage = GarbageCollector(
      images: namespaces, ledger: ledger, leases: leases, content: content, layers: layers, logger: logger)
    return ImageService(
      namespaces: namespaces, content: content, layers: layers, registry: registry, garbage: garbage, leases: leases, downloads: 4,
      platform: Platform(os: "linux", architecture: "amd64"), logger: logger)
  }

  @Test(.timeLimit(.minutes(1))) func `images with the same layers in other orders do not deadlock`() async throws {
    let registry = MemoryRegistry()
    for (name, order) in [("a", ["x", "y", "z"]), ("b", ["z", "y", "x"]), ("c", ["y", "x", "y", "x"])] { registry.add(name, layers: order) }
    let service = service(registry)
    try await withThrowingTaskGroup(of: ImageRecord.self) { group in
      for round in 0..<30 {
        let name = ["a", "b", "c"][round % 3]
        group.addTask { try await service.pull("localhost/\(name):v\(round)", credentials: nil) }
      }
      for try await record in group { #expect(record.layers.count >= 3) }
    }
    #expect(service.index.list().count == 3)
  }

  @Test func `a layer that fails fails the pull with its name and commits nothing above it`() async throws {
    let registry = MemoryRegistry()
    registry.add("bad", layers: ["low", "broken", "high"])
    let service = service(registry)
    let fault = await #expect(throws: Fault.self) { try await service.pull("localhost/bad", credentials: nil) }
    #expect(fault?.message.contains("layer sha256:") == true)
    #expect(fault?.message.contains("broken") == true)
    #expect(fault?.message.contains("of 3 layers, 0 of 0 MB, 0.0 MB/s") == true, "\(fault?.message ?? "")")
    #expect(service.index.list().isEmpty)
    #expect(layers.pending == 0)
  }

  @Test func `the same pull at once is one pull`() async throws {
    let registry = MemoryRegistry()
    registry.add("one", layers: ["p", "q"])
    let service = service(registry)
    async let first = service.pull("localhost/one", credentials: nil)
    async let second = service.pull("localhost/one", credentials: nil)
    #expect(try await first == second)
    #expect(registry.manifestRequests <= 2)
    #expect(layers.applied <= 4)
  }
}
