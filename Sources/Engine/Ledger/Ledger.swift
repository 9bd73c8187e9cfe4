package import Core
import FoundationEssentials
package import Logging
import Synchronization

/// Sandboxes and containers: in memory for every read, written through to a store that costs no sync on a request's path.
/// Reads never wait for an operation on a pod.
package final class Ledger: Sendable {
  private struct Tables {
    var sandboxes: [String: SandboxRecord] = [:]
    var containers: [String: ContainerRecord] = [:]
  }

  private let tables = Mutex(Tables())
  private let store: any RecordStore
  private let logger: Logger

  package init(store: any RecordStore, logger: Logger) {
    self.store = store
    self.logger = logger
  }

  /// Loads what an earlier daemon left.
  package func load() throws {
    let sandboxes: [SandboxRecord] = try decode(.sandboxes)
    let containers: [ContainerRecord] = try decode(.containers)
    tables.withLock { tables in
      tables.sandboxes = Dictionary(sandboxes.map { ($0.id, $0) }) { $1 }
      tables.containers = Dictionary(containers.map { ($0.id, $0) }) { $1 }
    }
  }

  private func decode<Record: Decodable>(_ kind: RecordKind) throws -> [Record] {
    try store.load(kind).compactMap { stored in
      do { return try JSONDecoder().decode(Record.self, from: Data(stored.json)) } catch {
        logger.error("recovery: \(kind.rawValue) \(stored.id): damaged record skipped: \(error)")
        return nil
      }
    }
  }

  package func put(_ record: SandboxRecord) throws {
    try write(.sandboxes, record.id, record)
    tables.withLock { $0.sandboxes[record.id] = record }
  }

  package func put(_ record: ContainerRecord) throws {
    try write(.containers, record.id, record)
    tables.withLock { $0.containers[record.id] = record }
  }

  private func write(_ kind: RecordKind, _ id: String, _ record: some Encodable) throws {
    try store.put(kind, StoredRecord(id: id, json: Array(try JSONEncoder().encode(record))))
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
    try store.delete(.sandboxes, id: id)
    tables.withLock { _ = $0.sandboxes.removeValue(forKey: id) }
  }

  package func removeContainer(_ id: String) throws {
    try store.delete(.containers, id: id)
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
