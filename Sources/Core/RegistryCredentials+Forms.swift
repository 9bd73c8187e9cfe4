import FoundationEssentials

extension RegistryCredentials {
  package var isEmpty: Bool { username.isEmpty && password.isEmpty && identityToken.isEmpty && registryToken.isEmpty }

  /// User name and password from base64 of `username:password`, as docker's `config.json` and the kubelet's `auth` have it; padding may lack.
  package static func decodeBasic(_ text: String) -> (username: String, password: String)? {
    let trimmed = text.filter { !$0.isWhitespace && $0 != "=" }
    let padding = String(repeating: "=", count: (4 - trimmed.utf8.count % 4) % 4)
    guard let data = Data(base64Encoded: trimmed + padding), let plain = String(validating: data, as: UTF8.self),
      let colon = plain.firstIndex(of: ":")
    else { return nil }
    return (String(plain[..<colon]), String(plain[plain.index(after: colon)...].filter { $0 != "\0" }))
  }
}

/// A registry's address as people and files write it: `registry.example:5000`, `https://index.docker.io/v1/`, `registry.example/team`.
package struct RegistryAddress: Hashable, Sendable {
  /// Host and port, lower case, without the scheme's own port; one name for all of Docker Hub's.
  package let authority: String
  /// Of repositories, without slashes at the ends; that of an API version (`v1`, `v2`) is none.
  package let path: String

  package init(_ text: String) {
    var scheme = RegistryHost.Scheme.https
    var rest = text.filter { !$0.isWhitespace }[...]
    for known in [RegistryHost.Scheme.http, .https] where rest.lowercased().hasPrefix("\(known.rawValue)://") {
      scheme = known
      rest = rest.dropFirst(known.rawValue.count + 3)
      break
    }
    let parts = rest.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    authority = Self.canonical(String(parts.first ?? ""), scheme)
    let path = (parts.count > 1 ? parts[1] : "").split(separator: "/").joined(separator: "/")
    self.path = ["v1", "v2"].contains(path) ? "" : path
  }

  private static func canonical(_ authority: String, _ scheme: RegistryHost.Scheme) -> String {
    var name = authority.lowercased()
    let port = ":\(scheme.defaultPort)"
    if name.hasSuffix(port) { name.removeLast(port.count) }
    return ["docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"].contains(name) ? "docker.io" : name
  }
}
