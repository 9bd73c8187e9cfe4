import Core
import OCI

/// A host asked for one repository, with the credentials that are for it.
struct Endpoint: Sendable {
  let host: RegistryHost
  /// Registry of the reference, which mirrors are told.
  let domain: String
  let repository: String
  /// `nil` where the request's credentials are for another host.
  let credentials: RegistryCredentials?

  init(_ host: RegistryHost, _ reference: ImageReference, _ credentials: RegistryCredentials?) {
    self.host = host
    domain = reference.domain
    repository = reference.path
    self.credentials = credentials.flatMap { $0.isFor(host, of: reference.domain) ? $0 : nil }
  }

  var origin: String { address("").origin }

  /// `<api>/<repository>/<path>`, with `?ns=` where the host is not the registry itself.
  func address(_ path: String) -> WebAddress {
    let address = WebAddress(scheme: host.scheme, authority: host.authority, path: "\(host.apiPath)/\(repository)/\(path)")
    return isProxy ? address.adding("ns", domain) : address
  }

  private var isProxy: Bool { host.authority != domain && !(domain == "docker.io" && host.authority == "registry-1.docker.io") }
}

extension RegistryCredentials {
  var isEmpty: Bool { username.isEmpty && password.isEmpty && identityToken.isEmpty && registryToken.isEmpty }

  /// Credentials go to the host they name; where they name none, to the registry of the image's own name and never to a mirror of it.
  func isFor(_ host: RegistryHost, of domain: String) -> Bool {
    if isEmpty { return false }
    let authority = Self.canonical(host.authority)
    if serverAddress.isEmpty { return host.isServer || authority == Self.canonical(domain) }
    let named = Self.canonical(serverAddress)
    return authority == named || (host.isServer && named == Self.canonical(domain))
  }

  /// Host and port of a server address as people write it (`https://index.docker.io/v1/`); one name for all of Docker Hub's.
  private static func canonical(_ address: String) -> String {
    var scheme = RegistryHost.Scheme.https
    var rest = Substring(address)
    for known in [RegistryHost.Scheme.http, .https] where address.lowercased().hasPrefix("\(known.rawValue)://") {
      scheme = known
      rest = rest.dropFirst(known.rawValue.count + 3)
    }
    let authority = WebAddress.normalize(String(rest.prefix { $0 != "/" }), scheme)
    return ["docker.io", "index.docker.io", "registry-1.docker.io"].contains(authority) ? "docker.io" : authority
  }
}
