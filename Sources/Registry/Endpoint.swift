import Core
import OCI

/// A host asked for one repository, with the credentials that are for it.
struct Endpoint: Sendable {
  let host: RegistryHost
  /// Registry of the reference, which mirrors are told.
  let domain: String
  let repository: String
  /// What is done there: `pull`, or `pull,push`.
  let actions: String
  /// Repositories that are read too, for mounting blobs of theirs.
  let sources: [String]
  let identity: Identity

  /// Who we are there.
  enum Identity: Hashable {
    case anonymous
    /// The request's own credentials, which are for this host.
    case request(RegistryCredentials)
    /// What the node's configuration says.
    case node(RegistryIdentity)
  }

  init(
    _ host: RegistryHost, _ reference: ImageReference, _ credentials: RegistryCredentials?, actions: String = "pull", sources: [String] = []
  ) {
    self.host = host
    domain = reference.domain
    repository = reference.path
    self.actions = actions
    self.sources = sources
    if let credentials, credentials.isFor(host, of: reference.domain) {
      identity = .request(credentials)
    } else {
      identity = host.identity(for: reference.path).map(Identity.node) ?? .anonymous
    }
  }

  /// Token scopes (distribution's token specification) that a challenge may leave out.
  var scopes: [String] { ["repository:\(repository):\(actions)"] + sources.map { "repository:\($0):pull" } }

  var origin: String { address("").origin }

  /// `<api>/<repository>/<path>`, with `?ns=` where the host is not the registry itself.
  func address(_ path: String) -> WebAddress {
    let address = WebAddress(scheme: host.scheme, authority: host.authority, path: "\(host.apiPath)/\(repository)/\(path)")
    return isProxy ? address.adding("ns", domain) : address
  }

  private var isProxy: Bool { host.authority != domain && !(domain == "docker.io" && host.authority == "registry-1.docker.io") }
}

extension RegistryCredentials {
  /// Credentials go to the host they name; where they name none, to the registry of the image's own name and never to a mirror of it.
  func isFor(_ host: RegistryHost, of domain: String) -> Bool {
    if isEmpty { return false }
    let authority = RegistryAddress(host.authority).authority
    if serverAddress.isEmpty { return host.isServer || authority == RegistryAddress(domain).authority }
    let named = RegistryAddress(serverAddress).authority
    return authority == named || (host.isServer && named == RegistryAddress(domain).authority)
  }
}
