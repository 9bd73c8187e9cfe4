import Core

/// An http or https address, parsed strictly: what two parsers could read differently is refused.
struct WebAddress: Hashable, Sendable {
  var scheme: RegistryHost.Scheme
  /// `host` or `host:port`, lower case, without the scheme's own port.
  var authority: String
  /// Begins with a slash.
  var path: String
  /// Without the question mark.
  var query: String?

  init(scheme: RegistryHost.Scheme, authority: String, path: String, query: String? = nil) {
    self.scheme = scheme
    self.authority = Self.normalize(authority, scheme)
    self.path = path
    self.query = query
  }

  /// `nil` where `text` is no absolute http(s) address, or names a user.
  init?(_ text: String) {
    guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://"),
      let scheme = RegistryHost.Scheme(rawValue: text[..<colon].lowercased())
    else { return nil }
    let rest = text[colon...].dropFirst(3)
    let authority = rest.prefix { !"/?#".contains($0) }
    guard HostAndPort(authority) != nil else { return nil }
    self.init(scheme: scheme, authority: String(authority), target: rest.dropFirst(authority.count))
  }

  /// Resolves a `Location` against this address (RFC 3986 section 5, without dot segments: servers do that).
  func resolving(_ location: String) -> WebAddress? {
    if let absolute = WebAddress(location) { return absolute }
    if location.hasPrefix("//") { return WebAddress("\(scheme.rawValue):\(location)") }
    if location.hasPrefix("/") || location.hasPrefix("?") {
      return WebAddress(scheme: scheme, authority: authority, target: (location.hasPrefix("/") ? "" : path) + Substring(location))
    }
    guard !location.isEmpty, !location.prefix(while: { !"/?#".contains($0) }).contains(":") else { return nil }
    let directory = path[...(path.lastIndex(of: "/") ?? path.startIndex)]
    return WebAddress(scheme: scheme, authority: authority, target: directory + location)
  }

  /// `target` is what follows the authority.
  private init(scheme: RegistryHost.Scheme, authority: String, target: Substring) {
    let target = target.prefix { $0 != "#" }
    let path = target.prefix { $0 != "?" }
    let query = target.count > path.count ? Self.escape(target.dropFirst(path.count + 1)) : nil
    self.init(scheme: scheme, authority: authority, path: path.isEmpty ? "/" : Self.escape(path), query: query)
  }

  var origin: String { "\(scheme.rawValue)://\(authority)" }

  /// For messages: queries may hold signatures and tokens.
  var display: String { origin + path }

  /// For the wire.
  var text: String { query.map { "\(display)?\($0)" } ?? display }

  func adding(_ name: String, _ value: String) -> WebAddress {
    var address = self
    let pair = "\(Self.component(name))=\(Self.component(value))"
    address.query = query.map { $0.isEmpty ? pair : "\($0)&\(pair)" } ?? pair
    return address
  }

  static func normalize(_ authority: String, _ scheme: RegistryHost.Scheme) -> String {
    let lower = authority.lowercased()
    let port = ":\(scheme.defaultPort)"
    return lower.hasSuffix(port) && !lower.hasSuffix("]" + port + "]") ? String(lower.dropLast(port.count)) : lower
  }

  /// Percent-encodes what may not stand in an address as it is; existing escapes stay.
  private static func escape(_ text: Substring) -> String {
    escape(text) { (33...126).contains($0) && !"\"<>\\^`{|}".utf8.contains($0) }
  }

  /// Percent-encodes all but unreserved characters.
  static func component(_ text: String) -> String {
    escape(text[...]) { "-._~".utf8.contains($0) || UInt8.letters.contains($0) }
  }

  private static func escape(_ text: Substring, _ plain: (UInt8) -> Bool) -> String {
    var bytes: [UInt8] = []
    let digits = Array("0123456789ABCDEF".utf8)
    for byte in text.utf8 {
      if plain(byte) { bytes.append(byte) } else { bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension UInt8 {
  fileprivate static let letters = Set("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
}
