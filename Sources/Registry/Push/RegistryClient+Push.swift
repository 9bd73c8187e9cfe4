package import Core
package import OCI

extension RegistryClient: RegistryTarget {
  package func push(to reference: ImageReference, credentials: RegistryCredentials?, mounting sources: [String]) throws -> any RegistryPush
  {
    let name = "registry \(reference.domain): push to \(reference.path)"
    return try stage(name) {
      let candidates = try hosts.hosts(for: reference.domain).filter { $0.capabilities.contains(.push) }
      guard let host = candidates.first else { throw Fault(.failedPrecondition, "its hosts.toml allows no host to be pushed to") }
      let exchange = PushExchange(
        exchange: exchange, endpoint: Endpoint(host, reference, credentials, actions: "pull,push", sources: sources))
      return RepositoryPush(name: name, exchange: exchange, policy: policy, lists: referrerLists)
    }
  }
}
