import CSQLite

/// One SQLite connection and its prepared statements, owned by whoever holds it.
///
/// `@unchecked`: SQLite lets a connection move between threads, and as this cannot be copied, no two of them have it at once.
struct Database: ~Copyable, @unchecked Sendable {
  /// How a file is opened.
  enum Mode {
    case readWrite
    /// Reads a file that cannot be written, without its write-ahead log.
    case immutable
    /// Reads a damaged file and changes nothing about it.
    case evidence
  }

  let path: String
  private let handle: OpaquePointer
  private var statements: [String: OpaquePointer] = [:]

  init(_ path: String, mode: Mode = .readWrite) throws(SQLiteError) {
    var handle: OpaquePointer?
    let code = Self.open(path, mode, &handle)
    guard code == SQLITE_OK, let handle else {
      let reason = handle.map { String(cString: sqlite3_errmsg($0)) }
      sqlite3_close_v2(handle)
      throw SQLiteError(code, path: path, stage: "open", reason: reason)
    }
    self.path = path
    self.handle = handle
    sqlite3_extended_result_codes(handle, 1)
    sqlite3_busy_timeout(handle, 2000)
    if mode == .evidence { _ = csqlite_keep_log_on_close(handle) }
  }

  deinit {
    for statement in statements.values { sqlite3_finalize(statement) }
    sqlite3_close_v2(handle)
  }

  private static func open(_ path: String, _ mode: Mode, _ handle: inout OpaquePointer?) -> Int32 {
    switch mode {
    case .readWrite, .evidence:
      let create = mode == .readWrite ? SQLITE_OPEN_CREATE : 0
      return sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE | create | SQLITE_OPEN_NOMUTEX, nil)
    case .immutable:
      return sqlite3_open_v2(fileURI(path), &handle, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, nil)
    }
  }

  private static func fileURI(_ path: String) -> String {
    let escaped = path.utf8.flatMap { byte -> [UInt8] in
      switch byte {
      case UInt8(ascii: "%"): Array("%25".utf8)
      case UInt8(ascii: "?"): Array("%3f".utf8)
      case UInt8(ascii: "#"): Array("%23".utf8)
      default: [byte]
      }
    }
    return "file:\(String(decoding: escaped, as: UTF8.self))?immutable=1"
  }

  /// Closing will leave the write-ahead log where it is, so that what was wrong can be looked at.
  func keepLogOnClose() { _ = csqlite_keep_log_on_close(handle) }

  /// Statements without results or parameters: pragmas, schema, BEGIN and COMMIT.
  func execute(_ sql: String) throws(SQLiteError) {
    let code = sqlite3_exec(handle, sql, nil, nil, nil)
    if code != SQLITE_OK { throw error(code, sql) }
  }

  /// Runs a statement with text parameters to its end; `row` sees each result row and says whether to go on.
  mutating func run(_ sql: String, _ parameters: [[UInt8]] = [], row: (borrowing Row) -> Bool = { _ in true }) throws(SQLiteError) {
    let statement = try prepared(sql)
    defer {
      sqlite3_reset(statement)
      sqlite3_clear_bindings(statement)
    }
    for (index, bytes) in parameters.enumerated() {
      let code = csqlite_bind_text(statement, Int32(index + 1), bytes.isEmpty ? [0] : bytes, Int32(bytes.count))
      if code != SQLITE_OK { throw error(code, sql) }
    }
    while true {
      let code = sqlite3_step(statement)
      if code == SQLITE_DONE { return }
      guard code == SQLITE_ROW else { throw error(code, sql) }
      if !row(Row(statement: statement)) { return }
    }
  }

  /// All or nothing: commits what `body` did, or rolls it back and rethrows.
  mutating func transaction(_ body: (inout Database) throws(SQLiteError) -> Void) throws(SQLiteError) {
    try execute("BEGIN IMMEDIATE")
    do {
      try body(&self)
      try execute("COMMIT")
    } catch {
      // Some errors (disk full) have rolled back already; then this one has nothing to do and its complaint means nothing.
      sqlite3_exec(handle, "ROLLBACK", nil, nil, nil)
      throw error
    }
  }

  private mutating func prepared(_ sql: String) throws(SQLiteError) -> OpaquePointer {
    if let statement = statements[sql] { return statement }
    var statement: OpaquePointer?
    let code = sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
    guard code == SQLITE_OK, let statement else { throw error(code, sql) }
    statements[sql] = statement
    return statement
  }

  private func error(_ code: Int32, _ sql: String) -> SQLiteError {
    SQLiteError(
      code, path: path, stage: sql.split(separator: "(").first.map(String.init) ?? sql, reason: String(cString: sqlite3_errmsg(handle)))
  }
}

/// The current row of a running statement; valid only inside the callback that got it.
struct Row: ~Copyable {
  fileprivate let statement: OpaquePointer

  func bytes(_ column: Int32) -> [UInt8] {
    // The pointer first, then the length: the order in which SQLite converts and measures.
    guard let text = sqlite3_column_text(statement, column) else { return [] }
    return Array(UnsafeBufferPointer(start: text, count: Int(sqlite3_column_bytes(statement, column))))
  }

  func text(_ column: Int32) -> String { String(decoding: bytes(column), as: UTF8.self) }

  func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }
}
