import Settings
import SwiftProtobuf

/// CNI: a configuration, and every plugin that it names; and the kernel's forwarding.
struct NetworkChecks {
  var configurations = Configuration().cni.configurationDirectory
  var plugins = Configuration().cni.binaryDirectories

  func findings(_ node: Node) -> [Finding] { configuration(node) + [forwarding(node)] + bridge(node) }

  /// The first file by name counts, as for every CNI runtime.
  private func configuration(_ node: Node) -> [Finding] {
    let files = node.list(configurations).filter { name in [".conflist", ".conf", ".json"].contains { name.hasSuffix($0) } }
    guard let file = files.first.map({ "\(configurations)/\($0)" }) else {
      return [
        .unfit("CNI", "no configuration in \(configurations)", "put a .conflist there; a network add-on does so when it is installed")
      ]
    }
    guard let network = Network(json: node.text(file) ?? "") else {
      return [.unfit("CNI", "\(file) is no CNI configuration", "it must be JSON with a name and plugins")]
    }
    let missing = network.plugins.filter { plugin in !plugins.contains { node.exists("\($0)/\(plugin)") } }
    if missing.isEmpty { return [.good("CNI", "network \(network.name) of \(file): \(network.plugins.joined(separator: ", "))")] }
    let places = plugins.joined(separator: " or ")
    return missing.map { .unfit("CNI", "plugin \($0) of \(file) is not in \(places)", "apt-get install containernetworking-plugins") }
  }

  private func forwarding(_ node: Node) -> Finding {
    if node.text("/proc/sys/net/ipv4/ip_forward") == "1" { return .good("ip_forward", "on") }
    return .warning("ip_forward", "off", "pods reach nothing beyond this node: sysctl -w net.ipv4.ip_forward=1")
  }

  /// Only where the module is loaded at all; without it the setting has no meaning.
  private func bridge(_ node: Node) -> [Finding] {
    guard node.text("/proc/sys/net/bridge/bridge-nf-call-iptables") == "0" else { return [] }
    return [
      .warning("bridge", "bridged packets pass iptables by", "kube-proxy needs sysctl -w net.bridge.bridge-nf-call-iptables=1")
    ]
  }

  /// As much of a CNI configuration as the checks need.
  struct Network: Equatable {
    let name: String
    let plugins: [String]

    init?(json: String) {
      guard let root = try? Google_Protobuf_Struct(jsonString: json), let name = root.fields["name"]?.stringValue, !name.isEmpty else {
        return nil
      }
      self.name = name
      let list = root.fields["plugins"]?.listValue.values.map(\.structValue) ?? [root]
      plugins = list.compactMap { $0.fields["type"]?.stringValue }.filter { !$0.isEmpty }
      if plugins.isEmpty { return nil }
    }
  }
}
