/// One endpoint that answers for a registry: where it is, what it may be asked, how to talk to it.
/// What a table of a `hosts.toml` says, or the default where there is none.
package struct RegistryHost: Hashable, Sendable {
  package enum Scheme: String, Hashable, Sendable {
    case http, https
    package var defaultPort: Int { self == .http ? 80 : 443 }
  }

  /// What an endpoint may be asked.
  package struct Capabilities: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    /// Blobs, and manifests by digest.
    package static let pull = Capabilities(rawValue: 1)
    /// Which digest a tag stands for; a mirror without it is trusted only for what has a digest.
    package static let resolve = Capabilities(rawValue: 2)
    package static let push = Capabilities(rawValue: 4)
    package static let all: Capabilities = [.pull, .resolve, .push]
  }

  /// Trust and identity of a TLS connection, as paths of PEM files; the system's authorities are always trusted too.
  package struct TLS: Hashable, Sendable {
    package struct Client: Hashable, Sendable {
      package var certificate: String
      /// `nil`: the key is in the certificate's file.
      package var key: String?

      package init(certificate: String, key: String?) {
        self.certificate = certificate
        self.key = key
      }
    }

    package var authorities: [String] = []
    package var clients: [Client] = []
    package var skipVerify = false

    package init() {}
  }

  package struct Header: Hashable, Sendable {
    package var name: String
    package var value: String

    package init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  package var scheme: Scheme
  /// `host` or `host:port`; an IPv6 address in brackets.
  package var authority: String
  /// What API paths begin with, `/v2`; without a slash at the end.
  package var apiPath = "/v2"
  package var capabilities = Capabilities.all
  package var tls = TLS()
  /// Sent with every request to this endpoint, and to no other.
  package var headers: [Header] = []
  package var dialTimeout: Duration?
  /// Who this node is there where a request has no credentials for it, the closest scope first.
  package var identities: [ScopedIdentity] = []
  /// The registry itself, not a mirror of it.
  package var isServer = false

  package init(scheme: Scheme, authority: String) {
    self.scheme = scheme
    self.authority = authority
  }

  /// Who this node is for a repository there.
  package func identity(for repository: String) -> RegistryIdentity? { identities.first { $0.covers(repository) }?.identity }

  /// `http://127.0.0.1:5000`, for messages.
  package var origin: String { "\(scheme.rawValue)://\(authority)" }
}

/// Which endpoints serve a registry, in the order to try them, the registry itself last.
package protocol RegistryHostsResolver: Sendable {
  /// `domain` is that of an image reference (`docker.io`, `localhost:5000`). An empty list means that nothing may be asked.
  /// Read anew for every pull. INVALID_ARGUMENT where the configuration cannot be understood.
  func hosts(for domain: String) throws -> [RegistryHost]
}

/// The registry itself for every domain: no mirrors, no configuration.
package struct DefaultRegistryHosts: RegistryHostsResolver {
  package init() {}

  package func hosts(for domain: String) -> [RegistryHost] { [.server(of: domain)] }
}

extension RegistryHost {
  /// Where `domain` is served without any configuration: Docker Hub has a host of another name, loopback speaks HTTP.
  package static func server(of domain: String) -> RegistryHost {
    let authority = domain == "docker.io" ? "registry-1.docker.io" : domain
    let plain = isLoopback(authority) && !authority.hasSuffix(":443")
    var host = RegistryHost(scheme: plain ? .http : .https, authority: authority)
    host.isServer = true
    return host
  }

  /// localhost, 127.0.0.0/8 and ::1, with or without a port.
  package static func isLoopback(_ authority: String) -> Bool {
    if authority.hasPrefix("[") { return authority.hasPrefix("[::1]") }
    let host = authority.prefix { $0 != ":" }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return host == "localhost" || (parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil })
  }
}
