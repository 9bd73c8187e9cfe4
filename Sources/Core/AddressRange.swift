import Linux

/// An address with its prefix length, `10.244.1.0/24` or `fd00:10::/64`.
package enum AddressRange {
  package static func isValid(_ text: String) -> Bool {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let length = Int(parts[1]), parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return false }
    switch SocketAddressText.family(of: String(parts[0])) {
    case .ipv4: return (0...32).contains(length)
    case .ipv6: return (0...128).contains(length)
    case nil: return false
    }
  }
}
