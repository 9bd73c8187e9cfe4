package import Core
import FoundationEssentials
import Linux
package import Spec

/// Whether this node can run pods now, asked anew each time.
package struct NodeStatus: Sendable {
  private let settings: EngineSettings
  private let network: any PodNetwork
  private let shim: String

  package init(settings: EngineSettings, network: any PodNetwork, shim: String) {
    self.settings = settings
    self.network = network
    self.shim = shim
  }

  /// What the node can give to containers.
  package var facts: NodeFacts { settings.node }

  package func features(of handler: String) async -> RuntimeFeatures {
    var features = await settings.features(of: settings.runtimes[handler] ?? "", handler: handler)
    features.userNamespaces = features.userNamespaces && settings.node.hasUserNamespaces
    return features
  }

  /// Names as Status lists them; the default one's is empty.
  package var runtimeHandlers: [String] { settings.runtimes.keys.sorted() }

  package func runtimeProblem() async -> Fault? {
    guard Files.exists(shim) else { return Fault(.failedPrecondition, "shim \(shim): does not exist") }
    guard let path = settings.runtimes[""], Files.exists(path) else {
      return Fault(
        .failedPrecondition, "OCI runtime \(settings.runtimes[""] ?? "runc"): does not exist; install runc or set runtimes.NAME.path")
    }
    return nil
  }

  /// See ``PodNetwork/configure(podCIDRs:)``.
  package func configure(podCIDRs: [String]) async throws { try await network.configure(podCIDRs: podCIDRs) }

  package func networkProblem() async -> Fault? {
    do {
      try await network.status()
      return nil
    } catch { return Fault(error) }
  }

  /// For verbose Status: what is pending and what is configured, as JSON.
  package func info() -> [String: String] {
    let pending = network.pending().map { ["sandbox": $0.sandboxID, "attempts": "\($0.attempts)", "error": $0.lastError] }
    let config = ["state": settings.state, "shim": shim].merging(settings.runtimes.map { ("runtime." + $0.key, $0.value) }) { $1 }
    return ["config": json(config), "pendingNetworkDetaches": json(pending)]
  }

  private func json(_ value: some Encodable) -> String {
    (try? JSONEncoder().encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
  }
}
