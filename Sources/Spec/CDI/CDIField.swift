import OCI
import YAML

/// A table of a CDI file, read key by key. Nothing is ignored: a key that nobody took is an error, as for the reference implementation.
struct CDITable {
  /// `devices[0].containerEdits`; empty for the whole file.
  let place: String
  private let line: Int
  private var entries: [String: YAMLNode] = [:]

  init(_ node: YAMLNode, _ place: String) throws(DocumentError) {
    self.place = place
    line = node.line
    guard case .table(let list) = node.content else { throw Self.error(node.line, place, "is no table") }
    for entry in list { entries[entry.key] = entry.value }
  }

  static func error(_ line: Int, _ place: String, _ reason: String) -> DocumentError {
    DocumentError("CDI spec", (line > 0 ? "line \(line): " : "") + (place.isEmpty ? "the file" : place) + " " + reason)
  }

  func error(_ key: String, _ reason: String) -> DocumentError { Self.error(entries[key]?.line ?? line, name(key), reason) }

  private func name(_ key: String) -> String { place.isEmpty ? key : "\(place).\(key)" }

  /// Null is as if the key were not there.
  private mutating func take(_ key: String) -> (node: YAMLNode, place: String)? {
    guard let node = entries.removeValue(forKey: key), !node.isNull else { return nil }
    return (node, name(key))
  }

  mutating func text(_ key: String) throws(DocumentError) -> String? {
    guard let found = take(key) else { return nil }
    return try Self.text(found.node, found.place)
  }

  mutating func needed(_ key: String) throws(DocumentError) -> String {
    guard let text = try text(key), !text.isEmpty else { throw Self.error(line, name(key), "is missing") }
    return text
  }

  mutating func texts(_ key: String) throws(DocumentError) -> [String]? { try each(key, Self.text) }

  mutating func integer<Number: FixedWidthInteger>(_ key: String) throws(DocumentError) -> Number? {
    guard let found = take(key) else { return nil }
    return try Self.integer(found.node, found.place)
  }

  mutating func groups(_ key: String) throws(DocumentError) -> [UInt32]? { try each(key, Self.group) }

  private static func group(_ node: YAMLNode, _ place: String) throws(DocumentError) -> UInt32 { try integer(node, place) }

  mutating func boolean(_ key: String) throws(DocumentError) -> Bool? {
    guard let found = take(key) else { return nil }
    guard let value = found.node.boolean else { throw Self.error(found.node.line, found.place, "is neither true nor false") }
    return value
  }

  /// Values of which only that they are text is asked: annotations.
  mutating func hasTexts(_ key: String) throws(DocumentError) -> Bool {
    guard let found = take(key) else { return false }
    let table = try CDITable(found.node, found.place)
    for (key, value) in table.entries { _ = try Self.text(value, table.name(key)) }
    return !table.entries.isEmpty
  }

  mutating func table<Value>(_ key: String, _ read: (inout CDITable) throws(DocumentError) -> Value) throws(DocumentError) -> Value? {
    guard let found = take(key) else { return nil }
    return try Self.whole(found.node, found.place, read)
  }

  mutating func tables<Value>(_ key: String, _ read: (inout CDITable) throws(DocumentError) -> Value) throws(DocumentError) -> [Value]? {
    try each(key) { (node, place) throws(DocumentError) in try Self.whole(node, place, read) }
  }

  /// Reads a table with `read` and refuses what `read` did not take.
  static func whole<Value>(
    _ node: YAMLNode, _ place: String, _ read: (inout CDITable) throws(DocumentError) -> Value
  ) throws(DocumentError) -> Value {
    var table = try CDITable(node, place)
    let value = try read(&table)
    if let unknown = table.entries.min(by: { $0.key < $1.key }) {
      throw error(unknown.value.line, table.name(String(unknown.key.prefix(100))), "is a field that CDI does not have")
    }
    return value
  }

  private mutating func each<Value>(
    _ key: String, _ read: (YAMLNode, String) throws(DocumentError) -> Value
  ) throws(DocumentError) -> [Value]? {
    guard let found = take(key) else { return nil }
    guard case .list(let list) = found.node.content else { throw Self.error(found.node.line, found.place, "is no list") }
    var values: [Value] = []
    for (index, node) in list.enumerated() { values.append(try read(node, "\(found.place)[\(index)]")) }
    return values
  }

  private static func text(_ node: YAMLNode, _ place: String) throws(DocumentError) -> String {
    guard let text = node.text else { throw error(node.line, place, "is no text") }
    if text.utf8.contains(0) { throw error(node.line, place, "has a NUL character") }
    return text
  }

  private static func integer<Number: FixedWidthInteger>(_ node: YAMLNode, _ place: String) throws(DocumentError) -> Number {
    guard let number = node.integer.flatMap({ Number(exactly: $0) }) else {
      throw error(node.line, place, "is no whole number, or too large")
    }
    return number
  }
}
