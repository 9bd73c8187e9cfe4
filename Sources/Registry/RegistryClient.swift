package import Core
package import Logging
package import NIOCore
package import OCI

/// The pull side of OCI registries (distribution specification) over HTTP: mirrors, authentication, retries, resumed transfers.
package final class RegistryClient: RegistrySource {
  let hosts: any RegistryHostsResolver
  let policy: TransferPolicy
  let exchange: Exchange
  let logger: Logger
  private let connections: Connections
  /// Of downloads, for each host, over all pulls.
  private let slots: Slots
  /// One push at a time writes to a subject's list of referrers.
  let referrerLists = Slots(1)

  /// - Parameter environment: `NAME=value` each, for its proxies and authorities.
  package init(
    hosts: any RegistryHostsResolver, helpers: any CredentialHelpers = NoCredentialHelpers(), group: any EventLoopGroup,
    environment: [String] = [], policy: TransferPolicy = .init(), metrics: Metrics = Metrics(), logger: Logger
  ) {
    self.hosts = hosts
    self.policy = policy
    self.logger = logger
    connections = Connections(group: group, environment: environment, dialTimeout: policy.dialTimeout)
    let tokens = TokenEndpoint(connections: connections, policy: policy)
    exchange = Exchange(
      connections: connections, authorizer: Authorizer(tokens, helpers), policy: policy, warnings: RegistryWarnings(logger),
      limits: HostLimits(), metrics: metrics)
    slots = Slots(policy.downloadsPerHost)
  }

  /// Closes all connections; transfers under way fail. Must be called before the client goes away.
  package func shutdown() async throws { try await connections.shutdown() }

  package func manifest(_ reference: ImageReference, credentials: RegistryCredentials?) async throws -> ManifestDocument {
    try await stage("registry \(reference.domain): manifest of \(reference.display)") {
      let needed: RegistryHost.Capabilities = reference.digest == nil ? [.pull, .resolve] : .pull
      let endpoints = try endpoints(reference, needed, credentials)
      return try await ManifestFetch(exchange: exchange, policy: policy, logger: logger).document(reference, endpoints)
    }
  }

  package func blob(_ descriptor: Descriptor, of reference: ImageReference, credentials: RegistryCredentials?) async throws
    -> any BlobStream
  {
    let name = "registry \(reference.domain): blob \(descriptor.digest) of \(reference.display)"
    return try stage(name) {
      guard descriptor.size >= 0 else { throw Fault(.invalidArgument, "its size is negative: \(descriptor.size)") }
      let endpoints = try endpoints(reference, .pull, credentials)
      return RegistryBlobStream(
        BlobTransfer(
          name: name, descriptor: descriptor, endpoints: endpoints, exchange: exchange, slots: slots, policy: policy, logger: logger))
    }
  }

  func endpoints(_ reference: ImageReference, _ needed: RegistryHost.Capabilities, _ credentials: RegistryCredentials?) throws
    -> [Endpoint]
  {
    if let token = credentials?.registryToken, !token.utf8.allSatisfy({ (33...126).contains($0) }) {
      throw Fault(.invalidArgument, "the registry token has characters that no header may have")
    }
    return try hosts.hosts(for: reference.domain).filter { $0.capabilities.isSuperset(of: needed) }.map {
      Endpoint($0, reference, credentials)
    }
  }
}

extension ImageReference {
  var display: String { "\(path)\(tag.map { ":\($0)" } ?? "")\(digest.map { "@\($0)" } ?? "")" }
}
