/// Reads Go's syntax of regular expressions, without its classes by Unicode property (`\p{…}`).
struct PatternParser {
  private struct Flags {
    var ignoresCase = false
    var isMultiline = false
    var dotTakesNewline = false
  }

  /// As Go has it.
  private static let repetitionLimit = 1000
  private static let depthLimit = 200

  private let text: [Unicode.Scalar]
  private var index = 0
  private var flags = Flags()
  private var depth = 0
  /// Between `\Q` and `\E`, where every character is itself.
  private var isQuoting = false

  init(_ text: String) { self.text = Array(text.unicodeScalars) }

  mutating func parse() throws(PatternError) -> PatternNode {
    let node = try alternatives()
    if index < text.count { throw PatternError(reason: "a ) closes nothing") }
    return node
  }

  private var peek: Unicode.Scalar? { index < text.count ? text[index] : nil }

  private mutating func next() -> Unicode.Scalar? {
    defer { index += 1 }
    return peek
  }

  private mutating func skip(_ word: String) -> Bool {
    let scalars = Array(word.unicodeScalars)
    guard text[min(index, text.count)...].starts(with: scalars) else { return false }
    index += scalars.count
    return true
  }

  /// Up to `end`, which is taken too; nil where there is none.
  private mutating func word(until end: Unicode.Scalar) -> String? {
    guard let stop = text[min(index, text.count)...].firstIndex(of: end) else { return nil }
    defer { index = stop + 1 }
    var view = String.UnicodeScalarView()
    view.append(contentsOf: text[index..<stop])
    return String(view)
  }

  private mutating func alternatives() throws(PatternError) -> PatternNode {
    var nodes = [try sequence()]
    while skip("|") { nodes.append(try sequence()) }
    return nodes.count == 1 ? nodes[0] : .choice(nodes)
  }

  private mutating func sequence() throws(PatternError) -> PatternNode {
    var parts: [PatternNode] = []
    while let scalar = peek, isQuoting || (scalar != "|" && scalar != ")") {
      if let part = try element() { parts.append(try repeated(part)) }
    }
    return .sequence(parts)
  }

  /// Nil for what only sets flags.
  private mutating func element() throws(PatternError) -> PatternNode? {
    if isQuoting, skip("\\E") {
      isQuoting = false
      return nil
    }
    guard let scalar = next() else { return nil }
    if isQuoting { return .set(literal(scalar)) }
    switch scalar {
    case "(": return try group()
    case "[": return .set(try bracket())
    case ".": return .set(flags.dotTakesNewline ? PatternSet(isNegated: true) : PatternSet(PatternSet.newline.ranges, isNegated: true))
    case "^": return .place(flags.isMultiline ? .lineStart : .textStart)
    case "$": return .place(flags.isMultiline ? .lineEnd : .textEnd)
    case "*", "+", "?": throw PatternError(reason: "a \(scalar) has nothing to repeat")
    case "\\": return try escape()
    default: return .set(literal(scalar))
    }
  }

  private func literal(_ scalar: Unicode.Scalar) -> PatternSet {
    flags.ignoresCase ? PatternSet(scalar).foldingCase : PatternSet(scalar)
  }

  private mutating func repeated(_ part: PatternNode) throws(PatternError) -> PatternNode {
    if isQuoting, skip("\\E") { isQuoting = false }
    guard !isQuoting, let (minimum, maximum) = try repetition() else { return part }
    _ = skip("?")
    if try repetition() != nil { throw PatternError(reason: "one repetition follows another") }
    return .repetition(part, minimum: minimum, maximum: maximum)
  }

  private mutating func repetition() throws(PatternError) -> (Int, Int?)? {
    if skip("*") { return (0, nil) }
    if skip("+") { return (1, nil) }
    if skip("?") { return (0, 1) }
    let start = index
    guard skip("{"), let counts = word(until: "}")?.split(separator: ",", omittingEmptySubsequences: false), let minimum = Int(counts[0]),
      counts.count <= 2, counts.count == 1 || counts[1].isEmpty || Int(counts[1]) != nil
    else {
      // A brace that is no repetition is itself.
      index = start
      return nil
    }
    let maximum = counts.count == 1 ? minimum : Int(counts[1])
    guard minimum >= 0, minimum <= Self.repetitionLimit, maximum.map({ $0 >= minimum && $0 <= Self.repetitionLimit }) ?? true else {
      throw PatternError(reason: "a repetition is out of range")
    }
    return (minimum, maximum)
  }

  private mutating func group() throws(PatternError) -> PatternNode? {
    let outside = flags
    if skip("?") {
      if skip("P<") || skip("<") {
        guard word(until: ">") != nil else { throw PatternError(reason: "the name of a group does not end") }
      } else if try setFlags() {
        return nil
      }
    }
    depth += 1
    if depth > Self.depthLimit { throw PatternError(reason: "its groups are too deep") }
    let node = try alternatives()
    guard skip(")") else { throw PatternError(reason: "a ( is not closed") }
    depth -= 1
    flags = outside
    return node
  }

  /// `(?im-s)`, which holds until the end of the group around it (true), or `(?i:`, which holds for this one.
  private mutating func setFlags() throws(PatternError) -> Bool {
    var value = true
    while let scalar = next() {
      switch scalar {
      case "i": flags.ignoresCase = value
      case "m": flags.isMultiline = value
      case "s": flags.dotTakesNewline = value
      case "U": break
      case "-": value = false
      case ":": return false
      case ")": return true
      default: throw PatternError(reason: "(?\(scalar) means nothing")
      }
    }
    throw PatternError(reason: "a ( is not closed")
  }

  private mutating func escape() throws(PatternError) -> PatternNode? {
    switch peek {
    case "A": return place(.textStart)
    case "z": return place(.textEnd)
    case "b": return place(.wordBorder)
    case "B": return place(.noWordBorder)
    case "Q":
      index += 1
      isQuoting = true
      return nil
    default: return .set(try escapedSet())
    }
  }

  private mutating func place(_ place: PatternNode.Place) -> PatternNode {
    index += 1
    return .place(place)
  }

  private mutating func escapedSet() throws(PatternError) -> PatternSet {
    guard let scalar = next() else { throw PatternError(reason: "it ends with a backslash") }
    if let set = PatternSet.escaped(scalar) { return set }
    return literal(try escapedScalar(scalar))
  }

  private mutating func escapedScalar(_ scalar: Unicode.Scalar) throws(PatternError) -> Unicode.Scalar {
    switch scalar {
    case "a": return "\u{7}"
    case "f": return "\u{C}"
    case "n": return "\n"
    case "r": return "\r"
    case "t": return "\t"
    case "v": return "\u{B}"
    case "x": return try hexadecimal()
    default:
      // Letters and digits that mean nothing here mean something elsewhere: back references, properties.
      if scalar.value >= 128 || PatternSet.word.contains(scalar) && scalar != "_" { throw PatternError(reason: "\\\(scalar) is not known") }
      return scalar
    }
  }

  private mutating func hexadecimal() throws(PatternError) -> Unicode.Scalar {
    let digits: String?
    if skip("{") {
      digits = word(until: "}")
    } else {
      digits = text.count - index >= 2 ? "\(text[index])\(text[index + 1])" : nil
      index += 2
    }
    guard let scalar = digits.flatMap({ UInt32($0, radix: 16) }).flatMap(Unicode.Scalar.init) else {
      throw PatternError(reason: "\\x is followed by no number of a character")
    }
    return scalar
  }

  private mutating func bracket() throws(PatternError) -> PatternSet {
    var set = PatternSet()
    let isNegated = skip("^")
    var isFirst = true
    while isFirst || peek != "]" {
      isFirst = false
      set.add(try bracketPart())
    }
    index += 1
    if flags.ignoresCase { set = set.foldingCase }
    set.isNegated = isNegated
    return set
  }

  private mutating func bracketPart() throws(PatternError) -> PatternSet {
    if skip("[:") {
      let isNegated = skip("^")
      guard let name = word(until: ":"), skip("]"), var set = PatternSet.named(name) else { throw PatternError(reason: "[: is no class") }
      set.isNegated = isNegated
      return set
    }
    if peek == "\\", index + 1 < text.count, let set = PatternSet.escaped(text[index + 1]) {
      index += 2
      return set
    }
    let first = try bracketScalar()
    guard peek == "-", index + 1 < text.count, text[index + 1] != "]" else { return PatternSet(first) }
    index += 1
    let last = try bracketScalar()
    guard first <= last else { throw PatternError(reason: "the range \(first)-\(last) is backwards") }
    return PatternSet([first.value...last.value])
  }

  private mutating func bracketScalar() throws(PatternError) -> Unicode.Scalar {
    guard let scalar = next() else { throw PatternError(reason: "a [ is not closed") }
    guard scalar == "\\" else { return scalar }
    guard let escaped = next() else { throw PatternError(reason: "a [ is not closed") }
    return try escapedScalar(escaped)
  }
}
