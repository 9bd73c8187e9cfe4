/// Kinds of records; each is a table.
package enum RecordKind: String, Sendable, CaseIterable {
  case sandboxes, containers, images, layers, leases
}

/// One record: a JSON document under an ID.
package struct StoredRecord: Sendable, Hashable {
  package var id: String
  package var json: [UInt8]

  package init(id: String, json: [UInt8]) {
    self.id = id
    self.json = json
  }
}

/// A small database of records. Opening never fails for damage: a damaged file is set aside and an empty one made; a damaged record is skipped and logged.
package protocol RecordStore: Sendable {
  /// As durable as the store is (tmpfs: at once; disk: FULL commit) on return.
  func put(_ kind: RecordKind, _ record: StoredRecord) throws
  func delete(_ kind: RecordKind, id: String) throws
  func load(_ kind: RecordKind) throws -> [StoredRecord]
}
