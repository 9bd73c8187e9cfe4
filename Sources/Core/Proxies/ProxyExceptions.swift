/// What `NO_PROXY` says, as Go's programs read it: hosts that are asked directly. `localhost` and loopback addresses always are.
struct ProxyExceptions: Sendable, Hashable {
  private enum Rule: Sendable, Hashable {
    case everything
    case address(IPAddress)
    case network(IPNetwork)
    /// `example.com` itself and all below it; without a dot in front, as other tools read it.
    case domain(String)
    /// `.example.com` and `*.example.com`: only what is below it.
    case below(String)
  }

  private struct Entry: Sendable, Hashable {
    let rule: Rule
    let port: Int?
  }

  private let entries: [Entry]

  /// Commas or blanks between entries; what makes no sense is passed over.
  init(_ text: String) { entries = text.split { ", \t".contains($0) }.compactMap { Self.entry($0.lowercased()) } }

  /// - Parameter host: without brackets.
  func contain(_ host: String, port: Int) -> Bool {
    let address = IPAddress(host)
    if host == "localhost" || address?.isLoopback == true { return true }
    return entries.contains { entry in
      guard entry.port == nil || entry.port == port else { return false }
      switch entry.rule {
      case .everything: return true
      case .address(let wanted): return address == wanted
      case .network(let network): return address.map(network.contains) == true
      case .domain(let name): return host == name || host.hasSuffix("." + name)
      case .below(let suffix): return host.hasSuffix(suffix) && host.count > suffix.count
      }
    }
  }

  private static func entry(_ text: String) -> Entry? {
    if text == "*" { return Entry(rule: .everything, port: nil) }
    if let network = IPNetwork(text) { return Entry(rule: .network(network), port: nil) }
    if let address = IPAddress(text) { return Entry(rule: .address(address), port: nil) }
    guard let place = HostAndPort(text.hasPrefix("*.") ? text.dropFirst() : text[...]) else { return nil }
    if let address = IPAddress(place.host) { return Entry(rule: .address(address), port: place.port) }
    return Entry(rule: place.host.hasPrefix(".") ? .below(place.host) : .domain(place.host), port: place.port)
  }
}
