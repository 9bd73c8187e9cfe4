package import Core
import Synchronization

/// Records in memory, with failures on demand; passes ``RecordStoreContract``.
package final class MemoryRecords: RecordStore {
  private struct State {
    var tables: [RecordKind: [StoredRecord]] = [:]
    var failure: Fault?
  }
  private let state = Mutex(State())

  package init() {}

  /// Every call throws this until it is nil again.
  package var failure: Fault? {
    get { state.withLock { $0.failure } }
    set { state.withLock { $0.failure = newValue } }
  }

  package func put(_ kind: RecordKind, _ record: StoredRecord) throws {
    guard Self.looksLikeJSON(record.json) else { throw Fault(.invalidArgument, "record \(record.id): no JSON") }
    try change(kind) { table in
      if let index = table.firstIndex(where: { $0.id == record.id }) { table[index] = record } else { table.append(record) }
    }
  }

  package func delete(_ kind: RecordKind, id: String) throws {
    try change(kind) { table in table.removeAll { $0.id == id } }
  }

  package func load(_ kind: RecordKind) throws -> [StoredRecord] {
    var records: [StoredRecord] = []
    try change(kind) { records = $0 }
    return records
  }

  private func change(_ kind: RecordKind, _ body: (inout [StoredRecord]) -> Void) throws {
    let failure = state.withLock { state in
      if state.failure == nil { body(&state.tables[kind, default: []]) }
      return state.failure
    }
    if let failure { throw failure }
  }

  private static func looksLikeJSON(_ bytes: [UInt8]) -> Bool {
    guard let first = bytes.first, let last = bytes.last else { return false }
    return first == UInt8(ascii: "{") && last == UInt8(ascii: "}") || first == UInt8(ascii: "[") && last == UInt8(ascii: "]")
  }
}
