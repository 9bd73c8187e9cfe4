/// Where each key of a TOML text stands, in the order of the text. TOMLKit keeps neither lines nor order, so they are read from the text itself.
/// What is malformed ends the scan early and harms nothing.
struct KeyIndex: Sendable {
  struct Entry: Hashable, Sendable {
    let path: [String]
    /// Counted from 1.
    let line: Int
  }

  private(set) var entries: [Entry] = []
  /// The first mistake, all before it being well-formed, that the parser does not report but ends the process over.
  private(set) var trap: Trap?

  struct Trap: Hashable, Sendable {
    let line: Int
    let reason: String
  }

  init(_ text: [UInt8]) {
    var scanner = KeyScanner(text)
    scanner.scanDocument()
    entries = scanner.entries
    trap = scanner.trap
  }

  /// Line of the first mention of `path`.
  func line(of path: [String]) -> Int? { entries.first { $0.path == path }?.line }

  /// Names directly below `path`, in the order of the text, each once.
  func children(of path: [String]) -> [String] {
    var names: [String] = []
    for entry in entries where entry.path.count > path.count && entry.path.starts(with: path) {
      if !names.contains(entry.path[path.count]) { names.append(entry.path[path.count]) }
    }
    return names
  }
}

/// Walks over TOML (v1.0) noting keys, stepping over values.
private struct KeyScanner {
  private let text: [UInt8]
  private var position = 0
  private var line = 1
  private var table: [String] = []
  private(set) var entries: [KeyIndex.Entry] = []
  private(set) var trap: KeyIndex.Trap?
  /// Arrays and inline tables around the position.
  private var depth = 0

  /// The parser's own limit.
  private static let maximumDepth = 256

  init(_ text: [UInt8]) { self.text = text }

  private var current: UInt8? { position < text.count ? text[position] : nil }

  private func follows(_ characters: StaticString, at offset: Int = 0) -> Bool {
    let start = position + offset
    return start + characters.utf8CodeUnitCount <= text.count
      && characters.withUTF8Buffer { $0.elementsEqual(text[start..<start + $0.count]) }
  }

  private mutating func advance(_ count: Int = 1) {
    for _ in 0..<count where position < text.count {
      if text[position] == UInt8(ascii: "\n") { line += 1 }
      position += 1
    }
  }

  private mutating func skip(while condition: (UInt8) -> Bool) {
    while let byte = current, condition(byte) { advance() }
  }

  private mutating func skipBlank() { skip { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") } }

  /// Blanks, line ends and comments.
  private mutating func skipSpace() {
    while let byte = current {
      switch byte {
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): advance()
      case UInt8(ascii: "#"): skip { $0 != UInt8(ascii: "\n") }
      default: return
      }
    }
  }

  mutating func scanDocument() {
    if follows("\u{FEFF}") { advance(3) }
    skipSpace()
    while current != nil {
      let before = position
      scanExpression()
      skipSpace()
      if position == before { return }
    }
  }

  private mutating func scanExpression() {
    guard current == UInt8(ascii: "[") else { return scanPair(below: table) }
    let line = line
    advance(follows("[[") ? 2 : 1)
    skipBlank()
    if !isKeyStart { trap("no key follows the bracket of a table") }
    table = scanPath()
    note(table, line)
    skip { $0 == UInt8(ascii: "]") }
  }

  private mutating func trap(_ reason: String) { trap = trap ?? KeyIndex.Trap(line: line, reason: reason) }

  private var isKeyStart: Bool {
    guard let current else { return false }
    return switch current {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
    case UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "\""), UInt8(ascii: "'"): true
    default: false
    }
  }

  private mutating func scanPair(below prefix: [String]) {
    let line = line
    let path = scanPath()
    for length in 1..<max(path.count, 1) { note(prefix + path[..<length], line) }
    note(prefix + path, line)
    guard current == UInt8(ascii: "=") else { return }
    advance()
    skipBlank()
    scanValue(at: prefix + path)
  }

  private mutating func note(_ path: [String], _ line: Int) {
    if !path.isEmpty { entries.append(.init(path: path, line: line)) }
  }

  /// `a."b c".d`
  private mutating func scanPath() -> [String] {
    var path: [String] = []
    while true {
      skipBlank()
      guard let name = scanKey() else { return path }
      path.append(name)
      skipBlank()
      guard current == UInt8(ascii: ".") else { return path }
      advance()
    }
  }

  private mutating func scanKey() -> String? {
    guard let byte = current else { return nil }
    if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") { return scanQuotedKey(byte) }
    let start = position
    skip { !" \t\r\n.=[]{},#\"'".utf8.contains($0) }
    return position == start ? nil : String(decoding: text[start..<position], as: UTF8.self)
  }

  private mutating func scanQuotedKey(_ quote: UInt8) -> String {
    let start = position + 1
    skipString()
    let raw = text[min(start, position)..<max(start, position - 1)]
    return quote == UInt8(ascii: "'") ? String(decoding: raw, as: UTF8.self) : BasicString.unescape(raw)
  }

  private mutating func scanValue(at path: [String]) {
    switch current {
    case UInt8(ascii: "\""), UInt8(ascii: "'"): skipString()
    case UInt8(ascii: "["): scanSequence(closing: UInt8(ascii: "]")) { $0.scanValue(at: path + ["[]"]) }
    case UInt8(ascii: "{"): scanSequence(closing: UInt8(ascii: "}")) { $0.scanPair(below: path) }
    default: skip { !",]}#\n".utf8.contains($0) }
    }
  }

  /// The elements of an array or inline table, and its closing bracket.
  private mutating func scanSequence(closing: UInt8, _ element: (inout KeyScanner) -> Void) {
    guard depth < Self.maximumDepth else { return }
    depth += 1
    defer { depth -= 1 }
    advance()
    while true {
      skipSpace()
      guard let byte = current else { return }
      if byte == closing { return advance() }
      let before = position
      if closing == UInt8(ascii: "]"), byte == UInt8(ascii: "}") || byte >= 0x80 { trap("no value begins like this in an array") }
      if byte == UInt8(ascii: ",") { advance() } else { element(&self) }
      if position == before { return }
    }
  }

  /// All four kinds of string.
  private mutating func skipString() {
    guard let quote = current else { return }
    let long = follows("\"\"\"") || follows("'''")
    advance(long ? 3 : 1)
    while let byte = current {
      if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
        advance(2)
      } else if byte == quote, !long || follows("\"\"\"") || follows("'''") {
        return closeString(quote, long)
      } else {
        advance()
      }
    }
  }

  /// A long string may end in up to two quotes of its own.
  private mutating func closeString(_ quote: UInt8, _ long: Bool) {
    advance(long ? 3 : 1)
    if long { for _ in 0..<2 where current == quote { advance() } }
  }
}
