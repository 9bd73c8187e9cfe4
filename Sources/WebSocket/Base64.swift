/// RFC 4648 section 4, with padding.
package enum Base64 {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  private static let pad = UInt8(ascii: "=")

  /// 255 where a byte is no digit.
  private static let values: [UInt8] = {
    var values = [UInt8](repeating: 255, count: 256)
    for (value, digit) in alphabet.enumerated() { values[Int(digit)] = UInt8(value) }
    return values
  }()

  package static func encode(_ bytes: some Sequence<UInt8>) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(bytes.underestimatedCount * 4 / 3 + 4)
    var group: UInt32 = 0
    var count = 0
    for byte in bytes {
      group = group << 8 | UInt32(byte)
      count += 1
      if count == 3 {
        for shift in [18, 12, 6, 0] as [UInt32] { text.append(alphabet[Int(group >> shift & 63)]) }
        (group, count) = (0, 0)
      }
    }
    if count > 0 { appendRest(group << UInt32(8 * (3 - count)), count, to: &text) }
    return text
  }

  private static func appendRest(_ group: UInt32, _ count: Int, to text: inout [UInt8]) {
    text.append(alphabet[Int(group >> 18 & 63)])
    text.append(alphabet[Int(group >> 12 & 63)])
    text.append(count == 2 ? alphabet[Int(group >> 6 & 63)] : pad)
    text.append(pad)
  }

  /// The whole of a text; nil where it is not base64.
  package static func decode(_ text: some Sequence<UInt8>) -> [UInt8]? {
    var decoder = Decoder()
    guard let bytes = decoder.decode(text), decoder.isAtEnd else { return nil }
    return bytes
  }

  /// Decodes a text that comes in pieces of any size.
  package struct Decoder {
    private var group: UInt32 = 0
    private var digits = 0
    private var padding = 0

    package init() {}

    /// At the border of two groups, where a text may end.
    package var isAtEnd: Bool { digits == 0 }

    /// nil where a byte does not belong to base64.
    package mutating func decode(_ text: some Sequence<UInt8>) -> [UInt8]? {
      var bytes: [UInt8] = []
      for digit in text {
        guard take(digit, into: &bytes) else { return nil }
      }
      return bytes
    }

    private mutating func take(_ digit: UInt8, into bytes: inout [UInt8]) -> Bool {
      if digit == Base64.pad {
        guard digits >= 2 else { return false }
        padding += 1
        group <<= 6
      } else {
        let value = Base64.values[Int(digit)]
        guard value != 255, padding == 0 else { return false }
        group = group << 6 | UInt32(value)
      }
      digits += 1
      if digits == 4 {
        let all = [UInt8(truncatingIfNeeded: group >> 16), UInt8(truncatingIfNeeded: group >> 8), UInt8(truncatingIfNeeded: group)]
        bytes.append(contentsOf: all.prefix(3 - padding))
        (group, digits, padding) = (0, 0, 0)
      }
      return true
    }
  }
}
