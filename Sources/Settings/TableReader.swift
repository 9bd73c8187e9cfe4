import TOMLKit

/// Takes the keys of one table, each once, with the type it must have; what is left at the end is unknown.
/// Errors name file, line and key.
struct TableReader {
  private let table: TOMLTable
  private let document: Document
  private let path: [String]
  private var taken: [String] = []

  init(_ table: TOMLTable, of document: Document, path: [String]) {
    self.table = table
    self.document = document
    self.path = path
  }

  /// Sets `variable` where the key is there and `check` has nothing against it (it answers what is wrong).
  mutating func set<Value: SettingValue>(_ variable: inout Value, _ key: String, check: (Value) -> String? = { _ in nil })
    throws(SettingsError)
  {
    if let value: Value = try take(key, check: check) { variable = value }
  }

  mutating func set<Value: SettingValue>(_ variable: inout Value?, _ key: String, check: (Value) -> String? = { _ in nil })
    throws(SettingsError)
  {
    if let value: Value = try take(key, check: check) { variable = value }
  }

  mutating func take<Value: SettingValue>(_ key: String, check: (Value) -> String? = { _ in nil }) throws(SettingsError) -> Value? {
    guard let found = node(key) else { return nil }
    guard let value = Value(found) else { throw error(key, "must be \(Value.expected), found \(describe(found))") }
    if let complaint = check(value) { throw error(key, complaint) }
    return value
  }

  /// Reads the table `key` with `body` and refuses what `body` did not take.
  mutating func within(_ key: String, _ body: (inout TableReader) throws(SettingsError) -> Void) throws(SettingsError) {
    guard let found = node(key) else { return }
    guard let table = found.table else { throw error(key, "must be a table, found \(describe(found))") }
    var reader = TableReader(table, of: document, path: path + [key])
    try body(&reader)
    try reader.end()
  }

  /// What is left of this table, as tables by name, in the order of the text.
  mutating func eachTable(_ body: (String, inout TableReader) throws(SettingsError) -> Void) throws(SettingsError) {
    for name in rest {
      try within(name) { (reader) throws(SettingsError) in try body(name, &reader) }
    }
  }

  /// Keys that nobody took yet, in the order of the text.
  var rest: [String] { document.keys.children(of: path).filter { !taken.contains($0) } }

  /// Takes everything that is left and answers the names, for formats that allow keys of others.
  mutating func ignoreRest() -> [String] {
    defer { taken += rest }
    return rest
  }

  private func end() throws(SettingsError) {
    guard let unknown = rest.first else { return }
    let place = path.isEmpty ? "" : " in [\(path.joined(separator: "."))]"
    let hint = Suggestion.nearest(to: unknown, among: taken).map { "; did you mean \"\($0)\"?" } ?? ""
    throw SettingsError(document.file, line: document.keys.line(of: path + [unknown]), "unknown key \"\(unknown)\"\(place)\(hint)")
  }

  /// Reads the whole document with `body`.
  static func read(_ document: Document, _ body: (inout TableReader) throws(SettingsError) -> Void) throws(SettingsError) {
    var reader = document.root
    try body(&reader)
    try reader.end()
  }

  /// Something is wrong with the value of `key`.
  func error(_ key: String, _ reason: String) -> SettingsError { error(at: path + [key], reason) }

  /// Something is wrong with this table itself.
  func error(_ reason: String) -> SettingsError { error(at: path, reason) }

  private func error(at path: [String], _ reason: String) -> SettingsError {
    SettingsError(document.file, line: document.keys.line(of: path), "\"\(path.joined(separator: "."))\" \(reason)")
  }

  /// The value of a key, marked as taken.
  mutating func node(_ key: String) -> (any TOMLValueConvertible)? {
    taken.append(key)
    return table[key]
  }

  private func describe(_ value: any TOMLValueConvertible) -> String {
    switch value.type {
    case .table: "a table"
    case .array: "an array"
    case .string: "the string \"\(value.string ?? "")\""
    case .int: "the number \(value.int ?? 0)"
    case .bool: "\(value.bool ?? false)"
    default: "a \(value.type)"
    }
  }
}
