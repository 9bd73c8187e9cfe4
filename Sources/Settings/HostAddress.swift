import Core

/// The address of an endpoint as `hosts.toml` writes it: `https://mirror.example:5000/path`, the scheme may be missing.
struct HostAddress: Equatable {
  var scheme = RegistryHost.Scheme.https
  var authority: String
  /// Without a slash at the end.
  var path: String

  init?(_ text: String) {
    var rest = Substring(text)
    if let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://") {
      guard let scheme = RegistryHost.Scheme(rawValue: text[..<colon].lowercased()) else { return nil }
      self.scheme = scheme
      rest = text[colon...].dropFirst(3)
    }
    authority = rest.prefix { $0 != "/" }.lowercased()
    path = "/" + rest.dropFirst(authority.count).split(separator: "/").joined(separator: "/")
    if path == "/" { path = "" }
    guard HostAndPort(authority) != nil, path.utf8.allSatisfy({ (33...126).contains($0) && !"?#\\\"".utf8.contains($0) }) else {
      return nil
    }
  }
}
