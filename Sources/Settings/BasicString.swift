/// Escapes of TOML's basic strings, as they may stand in quoted keys.
enum BasicString {
  static func unescape(_ raw: ArraySlice<UInt8>) -> String {
    var text = ""
    var rest = raw
    while let backslash = rest.firstIndex(of: UInt8(ascii: "\\")) {
      text += String(decoding: rest[..<backslash], as: UTF8.self)
      rest = rest[(backslash + 1)...]
      guard let letter = rest.popFirst() else { break }
      text.unicodeScalars.append(scalar(letter, &rest))
    }
    return text + String(decoding: rest, as: UTF8.self)
  }

  private static func scalar(_ letter: UInt8, _ rest: inout ArraySlice<UInt8>) -> Unicode.Scalar {
    switch letter {
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "u"), UInt8(ascii: "U"):
      let digits = rest.prefix(letter == UInt8(ascii: "u") ? 4 : 8)
      rest = rest.dropFirst(digits.count)
      return UInt32(String(decoding: digits, as: UTF8.self), radix: 16).flatMap(Unicode.Scalar.init) ?? "\u{FFFD}"
    default: return Unicode.Scalar(letter)
    }
  }
}
