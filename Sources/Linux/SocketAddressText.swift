import CLinux

/// IP addresses as text.
package enum SocketAddressText {
  package enum Family: Int32, Sendable { case ipv4 = 4, ipv6 = 6 }

  /// Nil for what is no address, by inet_pton(3).
  package static func family(of text: String) -> Family? { Family(rawValue: clinux_address_family(text)) }
}
