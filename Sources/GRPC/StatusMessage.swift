/// The `grpc-message` header: UTF-8 with everything but printable ASCII, and `%`, percent-encoded.
enum StatusMessage {
  /// Clients refuse header lists above 8 KiB or so; a longer message is cut at a character and ends with an ellipsis.
  static let limit = 4096

  static func encode(_ text: String) -> String {
    if text.utf8.count <= limit, text.utf8.allSatisfy(isPlain) { return text }
    var encoded: [UInt8] = []
    for character in text {
      let start = encoded.count
      for octet in character.utf8 { append(octet, to: &encoded) }
      if encoded.count > limit {
        encoded.removeSubrange(start...)
        for octet in "…".utf8 { append(octet, to: &encoded) }
        break
      }
    }
    return String(decoding: encoded, as: UTF8.self)
  }

  /// Invalid escapes are kept as they are: a message is never lost.
  static func decode(_ text: String) -> String {
    guard text.utf8.contains(UInt8(ascii: "%")) else { return text }
    let octets = Array(text.utf8)
    var decoded: [UInt8] = []
    var index = 0
    while index < octets.count {
      if octets[index] == UInt8(ascii: "%"), index + 2 < octets.count, let high = hexValue(octets[index + 1]),
        let low = hexValue(octets[index + 2])
      {
        decoded.append(high << 4 | low)
        index += 3
      } else {
        decoded.append(octets[index])
        index += 1
      }
    }
    return String(decoding: decoded, as: UTF8.self)
  }

  private static let digits = Array("0123456789ABCDEF".utf8)

  private static func isPlain(_ octet: UInt8) -> Bool { octet >= 0x20 && octet <= 0x7e && octet != UInt8(ascii: "%") }

  private static func append(_ octet: UInt8, to encoded: inout [UInt8]) {
    if isPlain(octet) {
      encoded.append(octet)
    } else {
      encoded += [UInt8(ascii: "%"), digits[Int(octet >> 4)], digits[Int(octet & 15)]]
    }
  }

  private static func hexValue(_ octet: UInt8) -> UInt8? {
    switch octet {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): octet - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): octet - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): octet - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
