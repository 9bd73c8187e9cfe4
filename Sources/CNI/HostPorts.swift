import Core

/// Host ports of pods whose network has no plugin for them. Without anybody to map its ports a pod would run and nobody reach it.
package enum HostPorts: String, Sendable, CaseIterable {
  /// The `portmap` plugin comes after the network's own; where there is none, the pod is refused.
  case portmap
  /// Whoever wants them asks for the capability `portMappings`, or maps them by itself (an agent that watches pods).
  case network

  /// `networks` as this pod gets them. FAILED_PRECONDITION where nobody would map its ports.
  func completed(_ networks: [NetworkList], for attachment: NetworkAttachment, _ plugins: PluginDirectories) throws(Fault) -> [NetworkList]
  {
    guard self == .portmap, let mapping = attachment.portMappings.first(where: { $0.hostPort > 0 }) else { return networks }
    if networks.contains(where: { network in network.plugins.contains { $0.capabilities.contains("portMappings") } }) { return networks }
    do throws(Fault) { _ = try plugins.find("portmap") } catch {
      throw Fault(
        .failedPrecondition,
        "host port \(mapping.hostPort): no plugin of network \"\(networks[0].name)\" maps host ports, and portmap is \(error.message) "
          + "([cni] host_ports)")
    }
    var completed = networks
    completed[0].plugins.append(.portmap)
    return completed
  }
}

extension NetworkList.Plugin {
  fileprivate static let portmap = NetworkList.Plugin(
    type: "portmap", configuration: ["type": "portmap", "capabilities": ["portMappings": .bool(true)]], capabilities: ["portMappings"])
}
