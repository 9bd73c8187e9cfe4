/// A parsed regular expression.
indirect enum PatternNode {
  /// Where a match may be, rather than what it is.
  enum Place: Sendable {
    case textStart, textEnd, lineStart, lineEnd, wordBorder, noWordBorder
  }

  case set(PatternSet)
  case place(Place)
  case sequence([PatternNode])
  case choice([PatternNode])
  /// Without a `maximum` any number of times.
  case repetition(PatternNode, minimum: Int, maximum: Int?)
}

/// A set of characters.
struct PatternSet: Sendable {
  var ranges: [ClosedRange<UInt32>] = []
  var isNegated = false

  init(_ ranges: [ClosedRange<UInt32>] = [], isNegated: Bool = false) {
    self.ranges = ranges
    self.isNegated = isNegated
  }

  init(_ scalar: Unicode.Scalar) { self.init([scalar.value...scalar.value]) }

  /// `az` is a to z.
  init(pairs: String) {
    let ends = pairs.unicodeScalars.map(\.value)
    self.init(stride(from: 0, to: ends.count, by: 2).map { ends[$0]...ends[$0 + 1] })
  }

  func contains(_ scalar: Unicode.Scalar) -> Bool { ranges.contains { $0.contains(scalar.value) } != isNegated }

  /// Letters of ASCII in both cases.
  var foldingCase: PatternSet {
    var result = self
    for range in ranges {
      for (letters, distance) in [(UInt32(65)...90, 32), (97...122, -32)] where range.overlaps(letters) {
        let part = range.clamped(to: letters)
        result.ranges.append(UInt32(Int(part.lowerBound) + distance)...UInt32(Int(part.upperBound) + distance))
      }
    }
    return result
  }

  /// The union; a negated part is turned round first.
  mutating func add(_ other: PatternSet) { ranges += other.isNegated ? other.outside : other.ranges }

  private var outside: [ClosedRange<UInt32>] {
    var (result, start): ([ClosedRange<UInt32>], UInt32) = ([], 0)
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if range.lowerBound > start { result.append(start...range.lowerBound - 1) }
      start = max(start, range.upperBound + 1)
    }
    return start <= 0x10FFFF ? result + [start...0x10FFFF] : result
  }

  static let digit = PatternSet(pairs: "09")
  static let word = PatternSet(pairs: "09AZaz__")
  static let space = PatternSet(pairs: "\t\n\u{C}\r  ")
  static let newline = PatternSet("\n")

  /// By their names in POSIX, as in `[[:alpha:]]`.
  static func named(_ name: String) -> PatternSet? {
    switch name {
    case "alnum": PatternSet(pairs: "09AZaz")
    case "alpha": PatternSet(pairs: "AZaz")
    case "ascii": PatternSet(pairs: "\0\u{7F}")
    case "blank": PatternSet(pairs: "\t\t  ")
    case "cntrl": PatternSet(pairs: "\0\u{1F}\u{7F}\u{7F}")
    case "digit": digit
    case "graph": PatternSet(pairs: "!~")
    case "lower": PatternSet(pairs: "az")
    case "print": PatternSet(pairs: " ~")
    case "punct": PatternSet(pairs: "!/:@[`{~")
    case "space": PatternSet(pairs: "\t\r  ")
    case "upper": PatternSet(pairs: "AZ")
    case "word": word
    case "xdigit": PatternSet(pairs: "09AFaf")
    default: nil
    }
  }

  /// `\d` and its like; nil for a letter that is none.
  static func escaped(_ letter: Unicode.Scalar) -> PatternSet? {
    let set: PatternSet? =
      switch letter {
      case "d", "D": digit
      case "w", "W": word
      case "s", "S": space
      default: nil
      }
    guard var set else { return nil }
    set.isNegated = letter.value < 97
    return set
  }
}
