import Core

/// The tables, as steps that lead from one version to the next; `PRAGMA user_version` counts the steps a file has behind it.
/// A released step never changes. A file with more steps than are known here (a downgrade) is used as it is.
enum Schema {
  private static let steps: [String] = [
    ["sandboxes", "containers", "images", "layers", "leases"]
      .map { "CREATE TABLE IF NOT EXISTS \($0) (id TEXT PRIMARY KEY, record TEXT NOT NULL CHECK(json_valid(record)));" }
      .joined(separator: "\n")
  ]

  static func migrate(_ database: inout Database) throws(SQLiteError) {
    let done = try version(&database)
    guard done < steps.count else { return }
    try database.transaction { (database) throws(SQLiteError) in
      for step in steps[done...] { try database.execute(step) }
      try database.execute("PRAGMA user_version = \(steps.count)")
    }
  }

  private static func version(_ database: inout Database) throws(SQLiteError) -> Int {
    var version = 0
    try database.run("PRAGMA user_version") { row in
      version = Int(row.integer(0))
      return true
    }
    return max(0, version)
  }
}
