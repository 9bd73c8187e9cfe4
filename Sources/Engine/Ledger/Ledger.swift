package import Core
import FoundationEssentials
package import Logging
import Synchronization

/// Sandboxes and containers: in memory for every read, written through to a store that costs no sync on a request's path.
/// Reads never wait for an operation on a pod. Every change of life is told to ``events``, in the order in which it happened.
package final class Ledger: Sendable {
  let tables = Mutex(LedgerTables())
  let store: any RecordStore
  private let logger: Logger
  /// What happened, for whoever listens.
  package let events: EventHub
  /// The same in containerd's topics.
  package let exchange: EventExchange

  package init(
    store: any RecordStore, events: EventHub = EventHub(), exchange: EventExchange = EventExchange(), logger: Logger
  ) {
    self.store = store
    self.events = events
    self.exchange = exchange
    self.logger = logger
  }

  /// Loads what an earlier daemon left.
  package func load() throws {
    let sandboxes: [SandboxRecord] = try decode(.sandboxes)
    let containers: [ContainerRecord] = try decode(.containers)
    tables.withLock { tables in
      tables = LedgerTables()
      for record in sandboxes { _ = tables.sandboxes.set(record) }
      for record in containers { tables.set(record) }
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
    tables.withLock { tables in
      let before = tables.sandboxes.set(record)?.record
      for kind in record.changes(from: before) { events.publish(tables.event(kind, record.id, of: record)) }
      record.tell(exchange, from: before)
    }
  }

  package func put(_ record: ContainerRecord) throws {
    try write(.containers, record.id, record)
    tables.withLock { tables in
      let before = tables.set(record)?.record
      defer { record.tell(exchange, from: before) }
      guard let kind = record.change(from: before) else { return }
      events.publish(tables.event(kind, record.id, of: tables.sandboxes[record.sandboxID]?.record))
    }
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
    tables.withLock { tables in
      guard let record = tables.sandboxes.remove(id)?.record, record.state != .creating else { return }
      events.publish(tables.event(.deleted, id, of: record))
    }
  }

  package func removeContainer(_ id: String) throws {
    try store.delete(.containers, id: id)
    tables.withLock { tables in
      guard let record = tables.removeContainer(id) else { return }
      events.publish(tables.event(.deleted, id, of: tables.sandboxes[record.sandboxID]?.record))
      record.tellRemoved(exchange)
    }
  }

  package func sandboxes() -> [SandboxRecord] { sandboxView().entries.map(\.record) }
  package func containers() -> [ContainerRecord] { containerView().entries.map(\.record) }
  package func containers(of sandboxID: String) -> [ContainerRecord] { containerEntries(of: sandboxID).map(\.record) }

  /// By full ID; NOT_FOUND.
  package func sandbox(_ id: String) throws -> SandboxRecord { try tables.withLock { try $0.sandboxes.get(id) }.record }
  package func container(_ id: String) throws -> ContainerRecord { try tables.withLock { try $0.containers.get(id) }.record }

  /// By full ID or a prefix that fits only one; NOT_FOUND, or INVALID_ARGUMENT where several fit.
  package func findSandbox(_ prefix: String) throws -> SandboxRecord { try findSandboxEntry(prefix).record }
  package func findContainer(_ prefix: String) throws -> ContainerRecord { try findContainerEntry(prefix).record }
}
