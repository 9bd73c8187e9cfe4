import Core
import Logging
import OCI
import Synchronization
import Testing

@testable import Engine

/// Pulls on which nothing happens, and layers whose source changes its mind.
@Suite struct PullPatienceTests {
  /// A registry whose blobs come from `blob`, counted by its attempts.
  private struct Source: RegistrySource {
    let base: MemoryRegistry
    let blob: @Sendable (_ attempt: Int) throws -> any BlobStream
    let attempts = Counter()

    func manifest(_ reference: ImageReference, credentials: RegistryCredentials?) async throws -> ManifestDocument {
      try await base.manifest(reference, credentials: credentials)
    }

    func blob(_ descriptor: Descriptor, of reference: ImageReference, credentials: RegistryCredentials?) async throws -> any BlobStream {
      guard descriptor.mediaType.contains("layer") || descriptor.mediaType.contains("tar") else {
        return try await base.blob(descriptor, of: reference, credentials: credentials)
      }
      if let stream = try? blob(attempts.next()) { return stream }
      return try await base.blob(descriptor, of: reference, credentials: credentials)
    }
  }

  private final class Counter: Sendable {
    private let value = Mutex(0)
    var count: Int { value.withLock { $0 } }
    func next() -> Int {
      value.withLock { value in
        defer { value += 1 }
        return value
      }
    }
  }

  private struct Silence: BlobStream {
    var queued = false
    func next() async throws -> [UInt8]? {
      try await Task.sleep(for: .seconds(3))
      return nil
    }
    var isQueued: @Sendable () -> Bool { { [queued] in queued } }
  }

  /// A byte now and then.
  private struct Trickle: BlobStream {
    func next() async throws -> [UInt8]? {
      try await Task.sleep(for: .milliseconds(30))
      return [0]
    }
  }

  private struct Changed: BlobStream {
    func next() async throws -> [UInt8]? { throw Fault(.dataLoss, "the blob changed", cause: BlobChanged()).within("blob") }
  }

  private struct None: Error {}

  private func service(_ source: Source, patience: Duration? = nil) -> ImageService {
    let logger = Logger(label: "test")
    let layers = MemoryLayers()
    let namespaces = ImageNamespaces(store: MemoryRecords(), logger: logger)
    let content = MemoryContent()
    let ledger = Ledger(store: MemoryRecords(), logger: logger)
    let leases = PullLeases(store: MemoryRecords(), logger: logger)
    let garbage = GarbageCollector(
      images: namespaces, ledger: ledger, leases: leases, content: content, layers: layers, logger: logger)
    return ImageService(
      namespaces: namespaces, content: content, layers: layers, registry: source, garbage: garbage, leases: leases, downloads: 4,
      patience: patience,
      platform: Platform(os: "linux", architecture: "amd64"), logger: logger)
  }

  private func registry() -> MemoryRegistry {
    let registry = MemoryRegistry()
    registry.add("one", layers: ["p"])
    return registry
  }

  @Test(.timeLimit(.minutes(1))) func `a pull that brings nothing ends, and says how far it was`() async throws {
    let service = service(Source(base: registry()) { _ in Silence() }, patience: .milliseconds(300))
    let fault = await #expect(throws: Fault.self) { try await service.pull("localhost/one", credentials: nil) }
    #expect(fault?.code == .deadlineExceeded)
    #expect(
      fault?.message.contains("0 of 1 layers") == true && fault?.message.contains("no progress in 0.3 seconds") == true,
      "\(fault?.message ?? "")")
    #expect(service.running.list().isEmpty)
  }

  @Test(.timeLimit(.minutes(1))) func `a layer on which nothing happens is no standstill while another one comes`() async throws {
    let registry = MemoryRegistry()
    registry.add("two", layers: ["p", "q"])
    let service = service(Source(base: registry) { if $0 == 0 { Silence() } else { Trickle() } }, patience: .milliseconds(300))
    let pull = Task { try await service.pull("localhost/two", credentials: nil) }
    // More than a byte for each time that the silent layer alone would have been given up in.
    while service.running.list().first?.progress.received ?? 0 < 30 { try await Task.sleep(for: .milliseconds(5)) }
    #expect(service.running.list().count == 1)
    pull.cancel()
    _ = await pull.result
  }

  @Test(.timeLimit(.minutes(1))) func `waiting for one's turn is no standstill`() async throws {
    let service = service(Source(base: registry()) { _ in Silence(queued: true) }, patience: .milliseconds(200))
    let pull = Task { try await service.pull("localhost/one", credentials: nil) }
    while service.running.list().first?.progress.layers().first?.phase != .downloading { try await Task.sleep(for: .milliseconds(5)) }
    try await Task.sleep(for: .milliseconds(600))
    #expect(service.running.list().count == 1)
    pull.cancel()
  }

  @Test func `a layer whose content changed on the way starts over, once`() async throws {
    let source = Source(base: registry()) { if $0 == 0 { Changed() } else { throw None() } }
    let good = service(source)
    _ = try await good.pull("localhost/one", credentials: nil)
    #expect(source.attempts.count == 2)
    let never = Source(base: registry()) { _ in Changed() }
    let bad = service(never)
    let fault = await #expect(throws: Fault.self) { try await bad.pull("localhost/one", credentials: nil) }
    #expect(fault?.code == .dataLoss)
    #expect(never.attempts.count == 2)
  }
}
