/// `host`, `host:port` or `[v6]:port`, as addresses of servers are written; nothing that two parsers could read differently.
package struct HostAndPort: Hashable, Sendable {
  /// A name or an address, an IPv6 address without its brackets.
  package let host: String
  /// 1 to 65535.
  package let port: Int?

  package init?(_ text: some StringProtocol) {
    let isBracketed = text.hasPrefix("[")
    let end = isBracketed ? text.firstIndex(of: "]").map(text.index(after:)) : text.firstIndex(of: ":") ?? text.endIndex
    guard let end, end != text.startIndex else { return nil }
    let host = text[..<end]
    guard host.utf8.allSatisfy(isBracketed ? Self.isOfAddress : Self.isOfName) else { return nil }
    self.host = String(isBracketed ? host.dropFirst().dropLast() : host)
    let rest = text[end...]
    if rest.isEmpty {
      port = nil
    } else {
      guard rest.first == ":", let number = UInt16(rest.dropFirst()), number > 0 else { return nil }
      port = Int(number)
    }
  }

  private static func isOfAddress(_ byte: UInt8) -> Bool { "0123456789abcdefABCDEF:.[]".utf8.contains(byte) }

  private static func isOfName(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    default: ".-_".utf8.contains(byte)
    }
  }
}
