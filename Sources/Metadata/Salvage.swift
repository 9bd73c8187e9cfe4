import Core

/// Copies what can still be read of a damaged file: every row that is a JSON record, from both ends of each table up to where it breaks.
enum Salvage {
  /// Returns how many records were copied. Never fails: what cannot be read or written is left behind.
  static func copy(from path: String, to target: inout Database) -> Int {
    guard var source = try? Database(path, mode: .evidence) else { return 0 }
    var saved = 0
    try? target.transaction { (target) throws(SQLiteError) in
      for kind in RecordKind.allCases {
        for record in rows(of: kind, in: &source) {
          if (try? target.run(kind.putting, [Array(record.id.utf8), record.json])) != nil { saved += 1 }
        }
      }
    }
    return saved
  }

  private static func rows(of kind: RecordKind, in source: inout Database) -> [StoredRecord] {
    var records: [String: StoredRecord] = [:]
    for order in ["ASC", "DESC"] {
      let complete: Void? = try? source.run("SELECT id, record FROM \(kind.rawValue) WHERE json_valid(record) ORDER BY rowid \(order)") {
        row in
        let record = StoredRecord(id: row.text(0), json: row.bytes(1))
        if !record.id.isEmpty { records[record.id] = record }
        return true
      }
      if complete != nil { break }
    }
    return Array(records.values)
  }
}
