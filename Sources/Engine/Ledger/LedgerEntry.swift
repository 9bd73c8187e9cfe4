import Synchronization

/// One record as the ledger holds it. Never changes: an update makes a new entry, so that what was derived from one holds as long as it does.
package final class LedgerEntry<Record: LedgerRecord>: Sendable {
  /// What a surface may keep beside the record.
  package enum Form: Sendable, Hashable {
    /// The record as an item of a list.
    case listItem
    /// Who it is, as statistics say it.
    case attributes
    /// A container's status, whose image goes by this name now.
    case status(image: String)
  }

  package let record: Record
  private let forms = Mutex<[Form: [UInt8]]>([:])

  init(_ record: Record) { self.record = record }

  /// The record's encoding in this form, made once.
  package func encoded(as form: Form, _ encode: (Record) -> [UInt8]) -> [UInt8] {
    if let known = forms.withLock({ $0[form] }) { return known }
    let bytes = encode(record)
    forms.withLock { $0[form] = bytes }
    return bytes
  }
}

package typealias SandboxEntry = LedgerEntry<SandboxRecord>
package typealias ContainerEntry = LedgerEntry<ContainerRecord>

/// The ledger's memory, with the containers of each sandbox at hand.
struct LedgerTables {
  var sandboxes = LedgerTable<SandboxRecord>()
  /// Changed by ``set(_:)`` and ``removeContainer(_:)`` only.
  var containers = LedgerTable<ContainerRecord>()
  /// Sandbox → its containers.
  private var members: [String: Set<String>] = [:]

  /// Returns what was there before.
  @discardableResult
  mutating func set(_ record: ContainerRecord) -> ContainerEntry? {
    members[record.sandboxID, default: []].insert(record.id)
    return containers.set(record)
  }

  mutating func removeContainer(_ id: String) -> ContainerRecord? {
    guard let record = containers.remove(id)?.record else { return nil }
    members[record.sandboxID]?.remove(id)
    if members[record.sandboxID]?.isEmpty == true { members[record.sandboxID] = nil }
    return record
  }

  func containers(of sandboxID: String) -> [ContainerEntry] { (members[sandboxID] ?? []).compactMap { containers[$0] } }

  func event(_ kind: LedgerEvent.Kind, _ id: String, of sandbox: SandboxRecord?) -> LedgerEvent {
    LedgerEvent(kind: kind, id: id, sandbox: sandbox, containers: containers(of: sandbox?.id ?? id).map(\.record))
  }
}

extension Ledger {
  /// Sandboxes that are there, those still being made included.
  package func sandboxView() -> LedgerView<SandboxRecord> { tables.withLock { $0.sandboxes.view() } }

  package func containerView() -> LedgerView<ContainerRecord> { tables.withLock { $0.containers.view() } }

  package func containerEntries(of sandboxID: String) -> [ContainerEntry] { tables.withLock { $0.containers(of: sandboxID) } }

  /// As ``findSandbox(_:)``.
  package func findSandboxEntry(_ prefix: String) throws -> SandboxEntry { try tables.withLock { try $0.sandboxes.find(prefix) } }

  /// As ``findContainer(_:)``.
  package func findContainerEntry(_ prefix: String) throws -> ContainerEntry { try tables.withLock { try $0.containers.find(prefix) } }
}
