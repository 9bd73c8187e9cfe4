import Core
import Spec

/// Reads a filter: selectors with commas between them, each a field's path (`event.container_id`) and, where it must be more than there, `==`, `!=` or
/// `~=` with a value. Names and values may be in double quotes with Go's escapes, expressions also between slashes or bars.
struct EventFilterParser {
  private let text: String
  private let scalars: [Unicode.Scalar]
  private var index = 0

  init(_ text: String) {
    self.text = text
    scalars = Array(text.unicodeScalars)
  }

  /// None for an empty text.
  mutating func parse() throws(Fault) -> [EventSelector] {
    skipSpace()
    if peek == nil { return [] }
    var selectors = [try selector()]
    while peek != nil {
      guard take(",") else { throw wrong(index, "a comma or the end should be here") }
      selectors.append(try selector())
    }
    return selectors
  }

  private mutating func selector() throws(Fault) -> EventSelector {
    var path = [try name()]
    while take(".") { path.append(try name()) }
    let start = index
    guard let sign = peek, "=!~".unicodeScalars.contains(sign) else { return EventSelector(path: path, condition: .present) }
    while let next = peek, "=!~".unicodeScalars.contains(next) { index += 1 }
    let condition: EventSelector.Condition
    switch String(String.UnicodeScalarView(scalars[start..<index])) {
    case "==": condition = .equal(try value())
    case "!=": condition = .different(try value())
    case "~=": condition = .matching(try expression())
    default: throw wrong(start, "no operator: ==, != and ~= are")
    }
    skipSpace()
    return EventSelector(path: path, condition: condition)
  }

  private mutating func name() throws(Fault) -> String {
    skipSpace()
    defer { skipSpace() }
    if peek == "\"" { return try quoted() }
    let start = index
    while let next = peek, next == "_" || next.properties.isAlphabetic || ("0"..."9").contains(next) { index += 1 }
    guard index > start else { throw wrong(start, "a field's name should be here") }
    return slice(start)
  }

  private mutating func value() throws(Fault) -> String {
    skipSpace()
    if peek == "\"" { return try quoted() }
    let start = index
    while let next = peek, next != ",", !next.properties.isWhitespace { index += 1 }
    guard index > start else { throw wrong(start, "a value should be here") }
    return slice(start)
  }

  private mutating func expression() throws(Fault) -> Pattern {
    skipSpace()
    let start = index
    let source: String
    if let quote = peek, quote == "/" || quote == "|" { source = try fenced(by: quote) } else { source = try value() }
    do { return try Pattern(source) } catch { throw wrong(start, "the expression cannot be used: \(error.reason)") }
  }

  /// Nothing is an escape but that of the quote itself: expressions have backslashes of their own.
  private mutating func fenced(by quote: Unicode.Scalar) throws(Fault) -> String {
    let start = index
    index += 1
    var result = String.UnicodeScalarView()
    while let next = peek, next != quote {
      if next == "\\", index + 1 < scalars.count {
        index += 1
        if scalars[index] != quote { result.append(next) }
      }
      result.append(scalars[index])
      index += 1
    }
    guard peek == quote else { throw wrong(start, "nothing closes this \(quote)") }
    index += 1
    return String(result)
  }

  private mutating func quoted() throws(Fault) -> String {
    let start = index
    index += 1
    var result = String.UnicodeScalarView()
    while let next = peek, next != "\"" {
      index += 1
      result.append(next == "\\" ? try escaped() : next)
    }
    guard peek == "\"" else { throw wrong(start, "nothing closes this quote") }
    index += 1
    return String(result)
  }

  private static let escapes: [Unicode.Scalar: Unicode.Scalar] = [
    "a": "\u{7}", "b": "\u{8}", "f": "\u{c}", "n": "\n", "r": "\r", "t": "\t", "v": "\u{b}", "\\": "\\", "\"": "\"",
  ]
  private static let digits: [Unicode.Scalar: Int] = ["x": 2, "u": 4, "U": 8]

  /// What stands behind a backslash.
  private mutating func escaped() throws(Fault) -> Unicode.Scalar {
    let start = index - 1
    guard let kind = peek else { throw wrong(start, "nothing follows the backslash") }
    index += 1
    if let plain = Self.escapes[kind] { return plain }
    guard let count = Self.digits[kind], index + count <= scalars.count else { throw wrong(start, "no escape that Go knows") }
    let number = String(String.UnicodeScalarView(scalars[index..<index + count]))
    index += count
    guard let code = UInt32(number, radix: 16), let scalar = Unicode.Scalar(code) else { throw wrong(start, "no escape that Go knows") }
    return scalar
  }

  private var peek: Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }

  private func slice(_ start: Int) -> String { String(String.UnicodeScalarView(scalars[start..<index])) }

  private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
    guard peek == scalar else { return false }
    index += 1
    return true
  }

  private mutating func skipSpace() { while let next = peek, next.properties.isWhitespace { index += 1 } }

  /// - Parameter place: where the token begins that is wrong.
  private func wrong(_ place: Int, _ reason: String) -> Fault {
    let rest = String(String.UnicodeScalarView(scalars[min(place, scalars.count)...].prefix(20)))
    let shown = rest.isEmpty ? "at its end" : "at character \(place + 1), \"\(rest)\""
    return Fault(.invalidArgument, "filter \"\(text.prefix(300))\": \(shown): \(reason)")
  }
}
