import CLinux

/// IP addresses as text.
package enum SocketAddressText {
  package enum Family: Sendable { case ipv4, ipv6 }

  /// Nil for what is no address, by inet_pton(3).
  package static func family(of text: String) -> Family? {
    var bytes: (UInt64, UInt64) = (0, 0)
    if inet_pton(AF_INET, text, &bytes) == 1 { return .ipv4 }
    return inet_pton(AF_INET6, text, &bytes) == 1 ? .ipv6 : nil
  }
}
