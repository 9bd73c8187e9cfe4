import Core
import Linux
import Logging

/// How long what was put lasts.
package enum Durability: Sendable {
  /// On tmpfs: survives the daemon, not a reboot. Never waits for a disk.
  case volatile
  /// On a disk: a put that returned survives power loss.
  case durable
}

/// Opens a database file whatever state it is in: damage is set aside, an unwritable file is read only.
struct DatabaseFile {
  /// What was found under the name.
  enum Found: Equatable {
    case sound
    case nothing
    /// The damaged file was renamed to this path; what could be read of it was copied.
    case damaged(movedTo: String)
    /// Readable, but the directory or device takes no writes.
    case readOnly
  }

  let path: String
  let durability: Durability
  let logger: Logger

  func open(_ found: inout Found) throws(SQLiteError) -> Database {
    let existed = Files.exists(path)
    // A damaged file was set aside, and the daemon ended before there was another.
    if !existed, let aside = newestAside {
      found = .damaged(movedTo: aside)
      return try replacement(for: aside)
    }
    do {
      found = existed ? .sound : .nothing
      return try openSound()
    } catch {
      guard existed else { throw error }
      if error.isReadOnly, let database = try? openReadOnly(error) {
        found = .readOnly
        return database
      }
      guard error.isDamageAtOpening || error.isReadOnly else { throw error }
      let aside = try setAside(error)
      found = .damaged(movedTo: aside)
      return try replacement(for: aside)
    }
  }

  /// Readers must never keep a pod waiting, and a killed daemon must leave a sound file: both want a write-ahead log, on either medium.
  private func openSound() throws(SQLiteError) -> Database {
    var database = try Database(path)
    do {
      try database.execute("PRAGMA journal_mode = WAL")
      try database.execute("PRAGMA synchronous = \(durability == .volatile ? "OFF" : "FULL")")
      for setting in ["cache_size = -512", "wal_autocheckpoint = 256", "journal_size_limit = 1048576"] {
        try database.execute("PRAGMA " + setting)
      }
      try quickCheck(&database)
      try Schema.migrate(&database)
      return database
    } catch {
      database.keepLogOnClose()
      throw error
    }
  }

  /// The structure only: a record that is no JSON is one damaged record, not a damaged file.
  private func quickCheck(_ database: inout Database) throws(SQLiteError) {
    try database.execute("PRAGMA ignore_check_constraints = ON")
    var complaints: [String] = []
    try database.run("PRAGMA quick_check(3)") { row in
      complaints.append(row.text(0))
      return true
    }
    try database.execute("PRAGMA ignore_check_constraints = OFF")
    guard complaints == ["ok"] else {
      throw SQLiteError(SQLiteError.damageCode, path: path, stage: "quick_check", reason: complaints.joined(separator: "; "))
    }
  }

  private func aside(_ number: Int) -> String { "\(path).damaged-\(number)" }

  /// How many damaged files are there.
  private var asides: Int {
    var count = 0
    while Files.exists(aside(count + 1)) { count += 1 }
    return count
  }

  private var newestAside: String? {
    let count = asides
    return count == 0 ? nil : aside(count)
  }

  private func setAside(_ error: SQLiteError) throws(SQLiteError) -> String {
    let aside = aside(asides + 1)
    do {
      try Files.move(path, to: aside)
      // The log belongs to the damaged file: a new file must not replay it.
      if Files.exists(path + "-wal") { try Files.move(path + "-wal", to: aside + "-wal") }
      try Files.remove(path + "-shm")
    } catch {
      throw SQLiteError(SQLiteError.damageCode, path: path, stage: "set aside", reason: "\(error)")
    }
    logger.error("database is damaged: set aside", metadata: ["path": "\(path)", "aside": "\(aside)", "reason": "\(error)"])
    return aside
  }

  private func replacement(for aside: String) throws(SQLiteError) -> Database {
    var database = try openSound()
    let saved = Salvage.copy(from: aside, to: &database)
    logger.warning("database made anew", metadata: ["path": "\(path)", "salvaged": "\(saved)"])
    return database
  }

  private func openReadOnly(_ error: SQLiteError) throws(SQLiteError) -> Database {
    var database = try Database(path, mode: .immutable)
    try database.run("SELECT count(*) FROM sqlite_schema")
    logger.error("database cannot be written", metadata: ["path": "\(path)", "reason": "\(error)"])
    return database
  }
}
