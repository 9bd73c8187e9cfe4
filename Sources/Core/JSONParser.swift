/// Why a text is no JSON value, and where.
package struct JSONError: Error, Equatable, CustomStringConvertible {
  package let line: Int
  package let expected: String

  package var description: String { "not valid JSON: line \(line): expected \(expected)" }
}

extension JSON {
  /// A text that is one JSON value, with white space around it at most.
  package init(parsing bytes: [UInt8]) throws(JSONError) {
    var parser = JSONParser(bytes)
    self = try parser.document()
  }
}

/// Recursive descent over the bytes; bounded in depth, strict in all else.
private struct JSONParser {
  private let bytes: [UInt8]
  private var position = 0

  private static let maximumDepth = 100

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func document() throws(JSONError) -> JSON {
    let value = try value(depth: 0)
    skipSpace()
    guard position == bytes.count else { throw expected("the end") }
    return value
  }

  private mutating func value(depth: Int) throws(JSONError) -> JSON {
    guard depth < Self.maximumDepth else { throw expected("less nesting") }
    skipSpace()
    switch peek {
    case UInt8(ascii: "{"): return .object(try object(depth))
    case UInt8(ascii: "["): return .array(try array(depth))
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return .number(try number())
    }
  }

  private mutating func object(_ depth: Int) throws(JSONError) -> [JSON.Member] {
    var members: [JSON.Member] = []
    try list(UInt8(ascii: "}")) { (parser) throws(JSONError) in
      parser.skipSpace()
      let key = try parser.string()
      parser.skipSpace()
      guard parser.take(UInt8(ascii: ":")) else { throw parser.expected("':'") }
      members.append(JSON.Member(key: key, value: try parser.value(depth: depth + 1)))
    }
    return members
  }

  private mutating func array(_ depth: Int) throws(JSONError) -> [JSON] {
    var elements: [JSON] = []
    try list(UInt8(ascii: "]")) { (parser) throws(JSONError) in elements.append(try parser.value(depth: depth + 1)) }
    return elements
  }

  private mutating func list(_ close: UInt8, _ element: (inout JSONParser) throws(JSONError) -> Void) throws(JSONError) {
    position += 1
    skipSpace()
    if take(close) { return }
    while true {
      try element(&self)
      skipSpace()
      if take(close) { return }
      guard take(UInt8(ascii: ",")) else { throw expected("',' or '\(Character(Unicode.Scalar(close)))'") }
    }
  }

  private mutating func word(_ word: String, _ value: JSON) throws(JSONError) -> JSON {
    guard bytes[position...].starts(with: word.utf8) else { throw expected("a value") }
    position += word.utf8.count
    return value
  }

  private mutating func number() throws(JSONError) -> String {
    let start = position
    _ = take(UInt8(ascii: "-"))
    if !take(UInt8(ascii: "0")) { try digits(start == position ? "a value" : "a digit") }
    if take(UInt8(ascii: ".")) { try digits("a digit") }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      try digits("a digit")
    }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  private mutating func digits(_ what: String) throws(JSONError) {
    let start = position
    while let byte = peek, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { position += 1 }
    if position == start { throw expected(what) }
  }

  private mutating func string() throws(JSONError) -> String {
    guard take(UInt8(ascii: "\"")) else { throw expected("a string") }
    var text: [UInt8] = []
    while let byte = peek {
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"): try escape(into: &text)
      case 0..<0x20: throw expected("no control character in a string")
      default: text.append(byte)
      }
    }
    throw expected("the end of a string")
  }

  private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
    let byte = peek
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte!)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0c)
    case UInt8(ascii: "n"): text.append(0x0a)
    case UInt8(ascii: "r"): text.append(0x0d)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"): text += Array(String(Character(try scalar())).utf8)
    default: throw expected("an escape sequence")
    }
  }

  /// After `\u`: a scalar, a surrogate pair, or a lone surrogate, which becomes U+FFFD as in Go.
  private mutating func scalar() throws(JSONError) -> Unicode.Scalar {
    let first = try unit()
    if let scalar = Unicode.Scalar(first) { return scalar }
    let before = position
    guard first < 0xdc00, take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")), case let second = try unit(), 0xdc00...0xdfff ~= second else {
      position = before
      return "\u{fffd}"
    }
    return Unicode.Scalar(0x10000 + (UInt32(first) - 0xd800) << 10 + UInt32(second) - 0xdc00) ?? "\u{fffd}"
  }

  private mutating func unit() throws(JSONError) -> UInt16 {
    guard position + 4 <= bytes.count,
      let unit = UInt16(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16), bytes[position] != UInt8(ascii: "+")
    else { throw expected("four hexadecimal digits") }
    position += 4
    return unit
  }

  private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard peek == byte else { return false }
    position += 1
    return true
  }

  private mutating func skipSpace() {
    while let byte = peek, [0x20, 0x09, 0x0a, 0x0d].contains(byte) { position += 1 }
  }

  private func expected(_ what: String) -> JSONError {
    JSONError(line: 1 + bytes.prefix(position).count { $0 == 0x0a }, expected: what)
  }
}
