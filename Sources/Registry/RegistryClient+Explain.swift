package import Core
package import OCI

extension RegistryClient: RegistryExplaining {
  package func explain(_ reference: ImageReference, credentials: RegistryCredentials?, trying: Bool) async throws -> [ExplainedEndpoint] {
    let needed: RegistryHost.Capabilities = reference.digest == nil ? [.pull, .resolve] : .pull
    var explained: [ExplainedEndpoint] = []
    for host in try hosts.hosts(for: reference.domain) {
      var one = explain(host, Endpoint(host, reference, credentials), needed, credentials)
      if trying, one.isUsed { await attempt(&one, host, reference, credentials) }
      explained.append(one)
    }
    return explained
  }

  private func explain(
    _ host: RegistryHost, _ endpoint: Endpoint, _ needed: RegistryHost.Capabilities, _ credentials: RegistryCredentials?
  ) -> ExplainedEndpoint {
    let isUsed = host.capabilities.isSuperset(of: needed)
    let lacking = host.capabilities.contains(.pull) ? "resolve: it is not trusted with what a tag means" : "pull"
    var one = ExplainedEndpoint(
      url: host.origin + host.apiPath, capabilities: host.capabilities.names, isServer: host.isServer,
      credentials: Self.describe(credentials, endpoint), isUsed: isUsed,
      reason: isUsed ? (host.isServer ? "the registry itself" : "a mirror, by hosts.toml") : "it lacks the capability \(lacking)")
    do { one.proxy = try exchange.connections.proxyName(for: endpoint.address("")) } catch { one.proxy = error.message }
    one.settings = Self.settings(of: host)
    return one
  }

  private static func describe(_ credentials: RegistryCredentials?, _ endpoint: Endpoint) -> String {
    switch endpoint.identity {
    case .request(let credentials): return "the request's \(describe(credentials))"
    case .node(.credentials(let credentials, let file)): return "\(describe(credentials)) of \(file)"
    case .node(.helper(let helper)): return "what credential helper \(helper.name) (of \(helper.from)) says for \(helper.server)"
    case .node(.unusable(let reason)): return "anonymous as long as nobody asks: \(reason)"
    case .anonymous:
      guard let credentials, !credentials.isEmpty else { return "anonymous" }
      return "anonymous: the credentials are for \(credentials.serverAddress.isEmpty ? "the registry itself" : credentials.serverAddress)"
    }
  }

  private static func describe(_ credentials: RegistryCredentials) -> String {
    if !credentials.registryToken.isEmpty { return "registry token" }
    if !credentials.identityToken.isEmpty { return "identity token" }
    return "user \(credentials.username)"
  }

  private static func settings(of host: RegistryHost) -> [String] {
    var settings = host.tls.authorities.map { "trusts \($0)" } + host.tls.clients.map { "shows \($0.certificate)" }
    if host.tls.skipVerify { settings.append("does not verify certificates") }
    settings += host.headers.map { "sends the header \($0.name)" }
    if let timeout = host.dialTimeout { settings.append("gives a connection \(timeout)") }
    return settings
  }

  /// Asks this host only, once.
  private func attempt(
    _ one: inout ExplainedEndpoint, _ host: RegistryHost, _ reference: ImageReference, _ credentials: RegistryCredentials?
  ) async {
    let began = ContinuousClock.now
    var policy = policy
    policy.attempts = 1
    let fetch = ManifestFetch(exchange: exchange, policy: policy, logger: logger)
    do {
      let document = try await fetch.document(reference, [Endpoint(host, reference, credentials)])
      one.answer = "\(document.mediaType) \(document.digest), \(document.bytes.count) bytes"
    } catch { one.answer = "\(Fault(error))" }
    one.milliseconds = Int64((ContinuousClock.now - began) / .milliseconds(1))
  }
}

extension RegistryHost.Capabilities {
  fileprivate var names: [String] {
    [(.pull, "pull"), (.resolve, "resolve"), (RegistryHost.Capabilities.push, "push")].filter { contains($0.0) }.map(\.1)
  }
}
