package import Core
import FoundationEssentials
package import Logging
import Synchronization

/// Sandboxes and containers: in memory for every read, written through to `runtime.db` on tmpfs, and followed by a durable copy
/// that nobody waits for. Reads never wait for an operation on a pod.
package final class Ledger: Sendable {
  private struct Tables {
    var sandboxes: [String: SandboxRecord] = [:]
    var containers: [String: ContainerRecord] = [:]
  }

  private let tables = Mutex(Tables())
  private let runtime: any RecordStore
  private let following: any RecordStore
  private let logger: Logger

  package init(runtime: any RecordStore, following: any RecordStore, logger: Logger) {
    self.runtime = runtime
    self.following = following
    self.logger = logger
  }

  /// Loads what an earlier daemon of the same epoch left in `runtime.db`, or (in a new epoch) what the durable copy says.
  package func load(fromDurableCopy: Bool) throws {
    let source = fromDurableCopy ? following : runtime
    let sandboxes: [SandboxRecord] = try decode(.sandboxes, from: source)
    let containers: [ContainerRecord] = try decode(.containers, from: source)
    tables.withLock { tables in
      tables.sandboxes = Dictionary(sandboxes.map { ($0.id, $0) }) { $1 }
      tables.containers = Dictionary(containers.map { ($0.id, $0) }) { $1 }
    }
    if fromDurableCopy {
      for record in sandboxes { try put(record) }
      for record in containers { try put(record) }
    }
  }

  private func decode<Record: Decodable>(_ kind: RecordKind, from store: any RecordStore) throws -> [Record] {
    try store.load(kind).compactMap { stored in
      do { return try JSONDecoder().decode(Record.self, from: Data(stored.json)) } catch {
        logger.error("recovery: \(kind.rawValue) \(stored.id): damaged record skipped: \(error)")
        return nil
      }
    }
  }

  package func put(_ record: SandboxRecord) throws {
    try store(.sandboxes, record.id, record)
    tables.withLock { $0.sandboxes[record.id] = record }
  }

  package func put(_ record: ContainerRecord) throws {
    try store(.containers, record.id, record)
    tables.withLock { $0.containers[record.id] = record }
  }

  private func store(_ kind: RecordKind, _ id: String, _ record: some Encodable) throws {
    let stored = StoredRecord(id: id, json: Array(try JSONEncoder().encode(record)))
    try runtime.put(kind, stored)
    try following.put(kind, stored)
  }

  /// Changes a record that is there; NOT_FOUND where it was removed meanwhile.
  @discardableResult
  package func updateSandbox(_ id: String, _ change: (inout SandboxRecord) -> Void) throws -> SandboxRecord {
    var record = try sandbox(id)
    change(&record)
    try put(record)
    return record
  }

  @discardableResult
  package func updateContainer(_ id: String, _ change: (inout ContainerRecord) -> Void) throws -> ContainerRecord {
    var record = try container(id)
    change(&record)
    try put(record)
    return record
  }

  package func removeSandbox(_ id: String) throws {
    try runtime.delete(.sandboxes, id: id)
    try following.delete(.sandboxes, id: id)
    tables.withLock { _ = $0.sandboxes.removeValue(forKey: id) }
  }

  package func removeContainer(_ id: String) throws {
    try runtime.delete(.containers, id: id)
    try following.delete(.containers, id: id)
    tables.withLock { _ = $0.containers.removeValue(forKey: id) }
  }

  package func sandboxes() -> [SandboxRecord] { tables.withLock { Array($0.sandboxes.values) } }
  package func containers() -> [ContainerRecord] { tables.withLock { Array($0.containers.values) } }

  package func containers(of sandboxID: String) -> [ContainerRecord] {
    tables.withLock { $0.containers.values.filter { $0.sandboxID == sandboxID } }
  }

  /// By full ID; NOT_FOUND.
  package func sandbox(_ id: String) throws -> SandboxRecord {
    guard let record = tables.withLock({ $0.sandboxes[id] }) else { throw Fault(.notFound, "pod sandbox \(id): not found") }
    return record
  }

  package func container(_ id: String) throws -> ContainerRecord {
    guard let record = tables.withLock({ $0.containers[id] }) else { throw Fault(.notFound, "container \(id): not found") }
    return record
  }

  /// By full ID or a prefix that fits only one; NOT_FOUND, or INVALID_ARGUMENT where several fit.
  package func findSandbox(_ prefix: String) throws -> SandboxRecord {
    try Self.find(prefix, "pod sandbox", tables.withLock { $0.sandboxes })
  }

  package func findContainer(_ prefix: String) throws -> ContainerRecord {
    try Self.find(prefix, "container", tables.withLock { $0.containers })
  }

  private static func find<Record>(_ prefix: String, _ noun: String, _ table: [String: Record]) throws -> Record {
    guard !prefix.isEmpty else { throw Fault(.invalidArgument, "\(noun): the ID is empty") }
    if let record = table[prefix] { return record }
    let fitting = table.filter { $0.key.hasPrefix(prefix) }
    guard fitting.count <= 1 else {
      throw Fault(.invalidArgument, "\(noun) \(prefix.prefix(Identifier.length)): \(fitting.count) IDs begin like this")
    }
    guard let record = fitting.first?.value else {
      throw Fault(.notFound, "\(noun) \(prefix.prefix(Identifier.length)): not found")
    }
    return record
  }
}
