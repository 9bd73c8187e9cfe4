import Core

/// Where a tunnel leads: a host and a port.
struct TunnelTarget: Hashable, Sendable {
  /// As CONNECT names it (RFC 9110 section 9.3.6).
  let text: String

  init(host: String, port: Int) { text = (host.contains(":") ? "[\(host)]" : host.lowercased()) + ":\(port)" }

  init?(_ address: WebAddress) {
    guard let place = HostAndPort(address.authority) else { return nil }
    self.init(host: place.host, port: place.port ?? address.scheme.defaultPort)
  }

  /// `CONNECT host:port HTTP/1.1`; an IPv6 address may lack its brackets.
  init?(request line: String) {
    let words = line.split(separator: " ")
    guard words.count == 3, words[0] == "CONNECT", let colon = words[1].lastIndex(of: ":"),
      let port = UInt16(words[1][colon...].dropFirst())
    else { return nil }
    let host = words[1][..<colon]
    let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
    guard let place = HostAndPort(host.contains(":") && !isBracketed ? "[\(host)]" : String(host)), place.port == nil else { return nil }
    self.init(host: place.host, port: Int(port))
  }
}
