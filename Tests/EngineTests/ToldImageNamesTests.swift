import Core
import Logging
import OCI
import Support
import Testing

@testable import Engine

/// Names of images as subscribers hear of them.
@Suite struct ToldImageNamesTests {
  private let store = MemoryRecords()
  private let exchange = EventExchange()
  private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  private func image(_ letter: Character) -> ImageRecord {
    let digest = Digest("sha256:" + String(repeating: letter, count: 64))!
    return ImageRecord(id: digest, target: digest, manifest: digest, layers: [], size: 1, user: "")
  }

  private func drain(_ events: FilteredEvents) async throws -> [String] {
    exchange.publish(EventEnvelope(at: 0, namespace: "", topic: "/end", event: TypedEvent(url: "", value: [])))
    var found: [EventEnvelope] = []
    while found.last?.topic != "/end" { found += try await events.next() ?? [] }
    return found.dropLast().map { "\($0.namespace) \($0.topic) \(EventFields.name(of: $0))" }
  }

  @Test func `a tag that moves is an update, a removed image takes its names along`() async throws {
    let events = exchange.subscribe()
    let index = ImageIndex(store: store, exchange: exchange, logger: logger)
    _ = try await index.add(image("a"), named: ImageReference(parsing: "busybox"))
    _ = try await index.add(image("a"), named: ImageReference(parsing: "busybox"))
    let repository = "docker.io/library/busybox"
    #expect(
      try await drain(events) == [
        "k8s.io /images/create \(repository):latest", "k8s.io /images/create \(repository)@\(image("a").id)",
      ])
    _ = try await index.add(image("b"), named: ImageReference(parsing: "busybox"))
    #expect(
      try await drain(events) == [
        "k8s.io /images/update \(repository):latest", "k8s.io /images/create \(repository)@\(image("b").id)",
      ])
    try await index.remove(image("a").id)
    try await index.remove(image("a").id)
    #expect(try await drain(events) == ["k8s.io /images/delete \(repository)@\(image("a").id)"])
    events.end()
  }

  @Test func `a namespace begins with its first image and ends with its last`() async throws {
    let events = exchange.subscribe()
    let namespaces = ImageNamespaces(store: store, exchange: exchange, logger: logger)
    let index = try namespaces.index("other")
    #expect(try await drain(events) == [])
    _ = try await index.add(image("a"), named: ImageReference(parsing: "one"))
    try await index.remove(image("a").id)
    let name = "docker.io/library/one"
    #expect(
      try await drain(events) == [
        "other /namespaces/create other", "other /images/create \(name):latest", "other /images/create \(name)@\(image("a").id)",
        "other /images/delete \(name):latest", "other /images/delete \(name)@\(image("a").id)", "other /namespaces/delete other",
      ])
    events.end()
  }

  @Test func `what was there before a restart is known`() async throws {
    _ = try await ImageIndex(store: store, logger: logger).add(image("a"), named: ImageReference(parsing: "one"))
    let events = exchange.subscribe()
    let index = ImageIndex(store: store, exchange: exchange, logger: logger)
    try index.load { _ in true }
    _ = try await index.add(image("a"), named: ImageReference(parsing: "one"))
    #expect(try await drain(events) == [])
    try await index.remove(image("a").id)
    #expect(try await drain(events).count == 2)
    events.end()
  }
}

extension EventFields {
  fileprivate static func name(of event: EventEnvelope) -> String {
    var fields = EventFields(event)
    return fields[["event", "name"]] ?? ""
  }
}
