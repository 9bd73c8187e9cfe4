/// Which of a pod's addresses comes first.
package enum AddressPreference: String, Sendable, CaseIterable {
  case ipv4, ipv6
  /// As the plugins answered.
  case cni

  /// The first of the preferred family moves to the front, the others keep their order.
  func sorted(_ addresses: [String]) -> [String] {
    guard self != .cni, let first = addresses.firstIndex(where: { $0.contains(":") == (self == .ipv6) }) else { return addresses }
    var rest = addresses
    let preferred = rest.remove(at: first)
    return [preferred] + rest
  }
}
