/// A value of a YAML (1.1 or 1.2) document and the line it begins on. Scalars stay text: what they mean is up to who reads them.
package struct YAMLNode: Sendable, Hashable {
  package indirect enum Content: Sendable, Hashable {
    /// `isPlain`: without quotes, so that it may be a number, a truth value or nothing.
    case scalar(String, isPlain: Bool)
    case list([YAMLNode])
    /// In the order of the text; no key twice.
    case table([Entry])
  }

  package struct Entry: Sendable, Hashable {
    package var key: String
    package var value: YAMLNode

    package init(key: String, value: YAMLNode) {
      self.key = key
      self.value = value
    }
  }

  package var content: Content
  /// From 1; 0 where nobody knows.
  package var line: Int

  package init(_ content: Content, line: Int = 0) {
    self.content = content
    self.line = line
  }
}

/// The scalars of YAML's core schema, and the older octal and yes/no that tools still write.
extension YAMLNode {
  package var isNull: Bool {
    guard case .scalar(let text, isPlain: true) = content else { return false }
    return ["", "~", "null", "Null", "NULL"].contains(text)
  }

  /// Any scalar but null.
  package var text: String? {
    guard case .scalar(let text, _) = content, !isNull else { return nil }
    return text
  }

  package var boolean: Bool? {
    guard case .scalar(let text, isPlain: true) = content else { return nil }
    switch text.lowercased() {
    case "true", "yes", "on", "y": return true
    case "false", "no", "off", "n": return false
    default: return nil
    }
  }

  /// Decimal, `0x`, `0o`, `0b`, and a leading zero for octal; `_` between digits.
  package var integer: Int64? {
    guard case .scalar(let text, isPlain: true) = content else { return nil }
    var digits = text.filter { $0 != "_" }[...]
    let isNegative = digits.hasPrefix("-")
    if isNegative || digits.hasPrefix("+") { digits = digits.dropFirst() }
    let prefixes: [(String, Int)] = [("0x", 16), ("0X", 16), ("0o", 8), ("0O", 8), ("0b", 2), ("0B", 2)]
    let (prefix, radix) = prefixes.first { digits.hasPrefix($0.0) } ?? (digits.count > 1 && digits.hasPrefix("0") ? ("0", 8) : ("", 10))
    digits = digits.dropFirst(prefix.count)
    guard let first = digits.first, first != "-", first != "+" else { return nil }
    return Int64((isNegative ? "-" : "") + digits, radix: radix)
  }
}
