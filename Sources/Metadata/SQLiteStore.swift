package import Core
import Linux
package import Logging
import Synchronization

/// Records in one SQLite file, one table a kind; operators may read it with `sqlite3` at any time.
///
/// Calls are serialised and quick. A file that turns out damaged, at opening or later, is set aside as `<name>.damaged-<n>` and made anew with
/// what could still be read of it.
package final class SQLiteStore: RecordStore {
  private let file: DatabaseFile
  private let database: Mutex<Database?>
  private let logger: Logger
  /// True if the file did not exist, or was damaged: records may be missing.
  package let isNew: Bool

  /// Makes missing directories and the file. Fails only where no file can be read or made at all.
  package init(_ path: String, _ durability: Durability, logger: Logger) throws(Fault) {
    file = DatabaseFile(path: path, durability: durability, logger: logger)
    self.logger = logger
    do {
      try Files.makeDirectories(Files.parent(of: path))
      var found = DatabaseFile.Found.sound
      database = Mutex(try file.open(&found))
      isNew = found != .sound && found != .readOnly
    } catch {
      throw Fault(error)
    }
  }

  package func put(_ kind: RecordKind, _ record: StoredRecord) throws {
    try withDatabase { (database) throws(SQLiteError) in try database.run(kind.putting, [Array(record.id.utf8), record.json]) }
  }

  package func delete(_ kind: RecordKind, id: String) throws {
    try withDatabase { (database) throws(SQLiteError) in try database.run(kind.deleting, [Array(id.utf8)]) }
  }

  /// The record's JSON, nil if there is none.
  package func get(_ kind: RecordKind, id: String) throws -> [UInt8]? {
    var json: [UInt8]?
    try withDatabase { (database) throws(SQLiteError) in
      try database.run(kind.getting, [Array(id.utf8)]) { row in
        json = row.bytes(0)
        return false
      }
    }
    return json
  }

  package func load(_ kind: RecordKind) throws -> [StoredRecord] {
    var records: [StoredRecord] = []
    try withDatabase { (database) throws(SQLiteError) in
      records = []
      try database.run(kind.loading) { row in
        if row.integer(2) == 1 {
          records.append(StoredRecord(id: row.text(0), json: row.bytes(1)))
        } else {
          logger.error("record is damaged: skipped", metadata: ["database": "\(file.path)", "table": "\(kind)", "id": "\(row.text(0))"])
        }
        return true
      }
    }
    return records
  }

  /// Several changes in one commit: all or none.
  func apply(_ changes: [Change]) throws {
    try withDatabase { (database) throws(SQLiteError) in
      try database.transaction { (database) throws(SQLiteError) in
        for change in changes {
          let id = Array(change.key.id.utf8)
          if let json = change.json {
            try database.run(change.key.kind.putting, [id, json])
          } else {
            try database.run(change.key.kind.deleting, [id])
          }
        }
      }
    }
  }

  /// Runs `body` on the open file; where that shows damage, once more on a file made anew.
  private func withDatabase(_ body: (inout Database) throws(SQLiteError) -> Void) throws(SQLiteError) {
    try database.withLock { (slot) throws(SQLiteError) in
      do throws(SQLiteError) {
        try attempt(&slot, body)
      } catch {
        guard error.isDamage || error.isMoved else { throw error }
        logger.error("database failed: opened anew", metadata: ["path": "\(file.path)", "reason": "\(error)"])
        // Closed before the new one is made: closing removes the write-ahead log by name.
        slot = nil
        try attempt(&slot, body)
      }
    }
  }

  private func attempt(_ slot: inout Database?, _ body: (inout Database) throws(SQLiteError) -> Void) throws(SQLiteError) {
    if slot == nil {
      var found = DatabaseFile.Found.sound
      slot = try file.open(&found)
    }
    try body(&slot!)
  }
}

/// What is to be true of one key in a store: this JSON, or nothing.
struct Change: Sendable {
  struct Key: Hashable, Sendable {
    let kind: RecordKind
    let id: String
  }
  let key: Key
  let json: [UInt8]?
}
