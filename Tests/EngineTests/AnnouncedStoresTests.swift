import Core
import OCI
import Spec
import Support
import Synchronization
import Testing

@testable import Engine

/// Stores tell of what becomes of them, and of nothing else.
@Suite struct AnnouncedStoresTests {
  private let exchange = EventExchange()

  private func drain(_ events: FilteredEvents) async throws -> [String] {
    exchange.publish(EventEnvelope(at: 0, namespace: "", topic: "/end", event: TypedEvent(url: "", value: [])))
    var found: [EventEnvelope] = []
    while found.last?.topic != "/end" { found += try await events.next() ?? [] }
    return found.dropLast().map { event in
      var fields = EventFields(event)
      return [event.topic, fields[["event", "digest"]] ?? fields[["event", "key"]] ?? "", fields[["event", "size"]] ?? ""]
        .filter { !$0.isEmpty }.joined(separator: " ")
    }
  }

  @Test func `a document is told of when it is new, and when it goes`() async throws {
    let (content, bytes) = (AnnouncedContent(MemoryContent(), exchange), Array("text".utf8))
    let digest = Digest.sha256(of: bytes)
    try await content.write(bytes, as: digest)
    try content.remove(digest)
    let events = exchange.subscribe()
    for _ in 0..<2 { try await content.write(bytes, as: digest) }
    for _ in 0..<2 { try content.remove(digest) }
    #expect(try await drain(events) == ["/content/create \(digest) 4", "/content/delete \(digest)"])
    events.end()
  }

  @Test func `a blob in pieces is told of once it is whole`() async throws {
    let (content, bytes) = (AnnouncedContent(MemoryContent(), exchange), Array("text".utf8))
    let events = exchange.subscribe()
    for (text, isWhole) in [(bytes, true), ([0], false)] {
      let descriptor = Descriptor(mediaType: "application/x", digest: Digest.sha256(of: bytes), size: 4)
      let ingest = try await content.ingest(descriptor)
      try await ingest.write(text)
      if isWhole { try await ingest.finish() } else { await #expect(throws: Fault.self) { try await ingest.finish() } }
    }
    #expect(try await drain(events) == ["/content/create \(Digest.sha256(of: bytes)) 4"])
    events.end()
  }

  @Test func `what several bring at once is told of once`() async throws {
    let (base, bytes) = (MemoryLayers(), Array("text".utf8))
    let (content, layers) = (AnnouncedContent(MemoryContent(), exchange), AnnouncedLayers(base, exchange))
    let (digest, events) = (Digest.sha256(of: bytes), exchange.subscribe())
    let id = try await base.place(MemoryLayers.Applied(store: base, diffID: digest, broken: false), above: []).id
    try await withThrowingTaskGroup { group in
      for _ in 0..<50 {
        group.addTask { try await layers.commit(id) }
        group.addTask { try await content.write(bytes, as: digest) }
        group.addTask {
          let ingest = try await content.ingest(Descriptor(mediaType: "application/x", digest: digest, size: 4))
          try await ingest.write(bytes)
          try await ingest.finish()
        }
      }
      try await group.waitForAll()
    }
    #expect(try await drain(events).sorted() == ["/content/create \(digest) 4", "/snapshot/commit \(digest)"])
    try await layers.remove(id)
    events.end()
  }

  /// Keys, and one that cannot be made.
  private final class Snapshots: Snapshotter {
    private let keys = Mutex<Set<String>>([])
    func prepare(_ key: String, above layers: [LayerID], limit: Int64?) throws -> RootfsMount {
      if key == "bad" { throw Fault(.internal, "bad") }
      keys.withLock { _ = $0.insert(key) }
      return RootfsMount(lower: [], upper: nil, work: nil)
    }
    func mount(_ key: String, above layers: [LayerID]) -> RootfsMount { RootfsMount(lower: [], upper: nil, work: nil) }
    func usage(_ key: String) -> DiskUsage { DiskUsage() }
    func overhead() -> DiskUsage { DiskUsage() }
    func remove(_ key: String) { keys.withLock { _ = $0.remove(key) } }
    func list() -> [String] { keys.withLock { Array($0) } }
  }

  @Test func `a snapshot is told of when it is there, and when it is gone`() async throws {
    let (snapshots, events) = (AnnouncedSnapshots(Snapshots(), name: "overlay", exchange), exchange.subscribe())
    _ = try await snapshots.prepare("good", above: [])
    await #expect(throws: Fault.self) { try await snapshots.prepare("bad", above: []) }
    for key in ["good", "good", "bad"] { try await snapshots.remove(key) }
    #expect(try await drain(events) == ["/snapshot/prepare good", "/snapshot/remove good"])
    events.end()
  }

  @Test func `shims of others find the events' socket, Berth's own have no use for it`() {
    var settings = EngineSettings(state: "/s", runtimes: [:], node: NodeFacts())
    var facts = HandlerFacts()
    facts.isForeign = true
    settings.handlers = ["vm": facts, "plain": HandlerFacts()]
    settings.shimEnvironments = ["vm": ["A=b"], "own": ["C=d"]]
    #expect(settings.shimEnvironment("vm") == ["TTRPC_ADDRESS=/s/events.ttrpc", "A=b"])
    #expect(settings.shimEnvironment("own") == ["C=d"])
    #expect(settings.shimEnvironment("plain") == nil)
  }
}
