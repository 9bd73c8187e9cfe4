import CLinux
import Core
import Logging
import OCI
import Support
import Synchronization
import Testing

@testable import Engine

@Suite struct ImageIndexTests {
  private let store = MemoryRecords()
  private let logger = Logger(label: "test")

  private func image(_ letter: Character) -> ImageRecord {
    let digest = Digest("sha256:" + String(repeating: letter, count: 64))!
    return ImageRecord(id: digest, target: digest, manifest: digest, layers: [], size: 1, user: "")
  }

  private func reference(_ text: String) throws -> ImageReference { try ImageReference(parsing: text) }

  @Test func `a tag that moves is taken from the image that had it`() async throws {
    let index = ImageIndex(store: store, logger: logger)
    _ = try await index.add(image("a"), named: reference("busybox"))
    _ = try await index.add(image("b"), named: reference("busybox:latest"))
    #expect(try index.find("busybox")?.id == image("b").id)
    #expect(try index.find("sha256:" + String(repeating: "a", count: 64))?.tags == [])
  }

  @Test func `an image is found by ID, prefix, tag and repository digest`() async throws {
    let index = ImageIndex(store: store, logger: logger)
    let record = try await index.add(image("c"), named: reference("ghcr.io/org/app:v1"))
    let hex = String(repeating: "c", count: 64)
    for name in [hex, "sha256:" + hex, "ccccccc", "ghcr.io/org/app:v1", "ghcr.io/org/app@sha256:" + hex] {
      #expect(try index.find(name) == record, "\(name)")
    }
    #expect(try index.find("ghcr.io/org/app:v2") == nil)
    #expect(try index.find(String(repeating: "0", count: 64)) == nil)
  }

  @Test func `what was stored is there after a restart, what is not whole is not`() async throws {
    let first = ImageIndex(store: store, logger: logger)
    _ = try await first.add(image("d"), named: reference("one"))
    _ = try await first.add(image("e"), named: reference("two"))
    let second = ImageIndex(store: store, logger: logger)
    try second.load { $0.id != image("e").id }
    #expect(second.list().map(\.id) == [image("d").id])
    #expect(try store.load(.images).map(\.id) == [image("d").id.description])
  }

  @Test func `each namespace has names of its own, after a restart too`() async throws {
    let first = ImageNamespaces(store: store, logger: logger)
    _ = try await first.main.add(image("d"), named: reference("one"))
    _ = try await first.index("build").add(image("e"), named: reference("one"))
    _ = try await first.index("other").add(image("d"), named: reference("two"))
    let second = ImageNamespaces(store: store, logger: logger)
    try second.load { _ in true }
    #expect(try second.main.find("one")?.id == image("d").id && second.main.find("two") == nil)
    #expect(try second.index("build").find("one")?.id == image("e").id)
    #expect(second.counts().map(\.name) == ["build", "k8s.io", "other"])
    #expect(Set(second.list().map(\.id)) == [image("d").id, image("e").id])
    try await second.index("other").remove(image("d").id)
    #expect(try second.main.find("one") != nil)
    #expect(Set(try store.load(.images).map(\.id)) == ["\(image("d").id)", "build/\(image("e").id)"])
    for name in ["", "a/b", "..", "a b", "-a", String(repeating: "a", count: 77)] {
      #expect(throws: Fault.self, "\(name)") { try second.index(name) }
    }
  }

  @Test func `two names given at once are both stored`() async throws {
    let index = ImageIndex(store: SlowRecords(store), logger: logger)
    async let first = index.add(image("f"), named: reference("one"))
    async let second = index.add(image("f"), named: reference("two"))
    _ = try await (first, second)
    let later = ImageIndex(store: store, logger: logger)
    try later.load { _ in true }
    #expect(try later.find("one") != nil && later.find("two") != nil)
  }

  @Test func `a removed image is not stored again by a change that began before`() async throws {
    let index = ImageIndex(store: SlowRecords(store), logger: logger)
    let id = image("f").id
    async let added = index.add(image("f"), named: reference("one"))
    while index.image(id) == nil { await Task.yield() }
    async let removed: Void = index.remove(id)
    async let changed: Void = index.annotate(id, ["a": "b"])
    _ = try await (added, removed, changed)
    #expect(index.image(id) == nil)
    #expect(try store.load(.images) == [])
  }

  @Test func `an ill-formed name is INVALID_ARGUMENT and is quoted`() throws {
    let index = ImageIndex(store: store, logger: logger)
    let fault = #expect(throws: Fault.self) { try index.find("UPPER/case:bad tag") }
    #expect(fault?.code == .invalidArgument)
    #expect(fault?.message.contains("UPPER/case") == true)
  }
}

/// Each change waits a while for another one to overtake it.
private final class SlowRecords: RecordStore {
  private let base: MemoryRecords
  private let changes = Mutex(0)

  init(_ base: MemoryRecords) { self.base = base }

  private func linger() {
    let own = changes.withLock { count in
      count += 1
      return count
    }
    let deadline = ContinuousClock.now + .milliseconds(200)
    while changes.withLock({ $0 }) == own, ContinuousClock.now < deadline { usleep(1000) }
    if changes.withLock({ $0 }) != own { usleep(20_000) }
  }

  func put(_ kind: RecordKind, _ record: StoredRecord) throws {
    linger()
    try base.put(kind, record)
  }

  func delete(_ kind: RecordKind, id: String) throws {
    linger()
    try base.delete(kind, id: id)
  }

  func load(_ kind: RecordKind) throws -> [StoredRecord] { try base.load(kind) }
}

/// Records in memory only.
final class MemoryRecords: RecordStore {
  private let tables = Mutex<[RecordKind: [String: StoredRecord]]>([:])

  func put(_ kind: RecordKind, _ record: StoredRecord) throws { tables.withLock { $0[kind, default: [:]][record.id] = record } }
  func delete(_ kind: RecordKind, id: String) throws { tables.withLock { _ = $0[kind]?.removeValue(forKey: id) } }
  func load(_ kind: RecordKind) throws -> [StoredRecord] { tables.withLock { Array(($0[kind] ?? [:]).values) } }
}
