import CSQLite
package import Core

/// A SQLite call that failed: on which file, at what, and why.
package struct SQLiteError: FaultConvertible, CustomStringConvertible {
  /// The extended result code.
  let code: Int32
  let path: String
  let stage: String
  let reason: String

  init(_ code: Int32, path: String, stage: String, reason: String? = nil) {
    self.code = code
    self.path = path
    self.stage = stage
    self.reason = reason ?? String(cString: sqlite3_errstr(code))
  }

  package var description: String { "database \(path): \(stage): \(reason)" }

  package var fault: Fault { Fault(faultCode, description, cause: self) }

  /// The low byte: the code without its extension.
  var primary: Int32 { code & 0xff }

  /// The file's content is wrong, so that only another file can help.
  var isDamage: Bool { [SQLITE_CORRUPT, SQLITE_NOTADB].contains(primary) || isShortRead }

  /// While opening, whatever is not the machine's fault is the file's: a scribbled header shows in many ways. A device that fails, or is full
  /// (SQLITE_IOERR_SHMSIZE among others), says nothing of the content.
  var isDamageAtOpening: Bool {
    let excused = [SQLITE_FULL, SQLITE_NOMEM, SQLITE_BUSY, SQLITE_LOCKED, SQLITE_READONLY, SQLITE_CANTOPEN, SQLITE_PERM, SQLITE_IOERR]
    return isShortRead || !excused.contains(primary)
  }

  /// SQLITE_IOERR_SHORT_READ: the file ends before a page does.
  private var isShortRead: Bool { code == SQLITE_IOERR | (2 << 8) }

  /// The file can be read at most.
  var isReadOnly: Bool { [SQLITE_READONLY, SQLITE_CANTOPEN, SQLITE_PERM].contains(primary) }

  /// The open file is not the one under its name any more (SQLITE_READONLY_DBMOVED).
  var isMoved: Bool { code == SQLITE_READONLY | (4 << 8) }

  /// What a failed check of a file's structure is reported as.
  static let damageCode = SQLITE_CORRUPT

  private var faultCode: Fault.Code {
    switch primary {
    case SQLITE_FULL, SQLITE_NOMEM: .resourceExhausted
    case SQLITE_CORRUPT, SQLITE_NOTADB: .dataLoss
    case SQLITE_BUSY, SQLITE_LOCKED: .unavailable
    case SQLITE_CONSTRAINT, SQLITE_TOOBIG: .invalidArgument
    case SQLITE_READONLY, SQLITE_CANTOPEN, SQLITE_PERM: .failedPrecondition
    default: .internal
    }
  }
}
