import Core

/// All that DEL needs to know of an attachment, kept in a file: written before the first ADD and again with its result.
struct AttachmentRecord: Sendable, Equatable {
  var target: Target
  /// The configuration it was attached with; nil where the file was damaged, then the directory's is the best guess.
  var network: NetworkList?
  /// Values for `runtimeConfig`, by capability.
  var capabilities: JSON = [:]
  /// Types of plugins that were not called at ADD and so need no DEL.
  var skipped: [String] = []
  /// The last plugin's result; nil until all ADDs succeeded.
  var result: JSON?
  /// Further networks, each on an interface of its own (`eth1`, …); their failures are counted here.
  var additional: [AttachmentRecord] = []
  /// How often DEL has failed, and how the last time.
  var failures = 0
  var lastError = ""

  var addresses: [String] { (try? result.map { try Results.addresses($0, ifName: target.ifName) }) ?? [] }

  /// The name of a plugin that is not called for a pod without host ports.
  ///
  /// Safe, as portmap without `runtimeConfig.portMappings` does nothing in any verb: ADD prints prevResult, DEL and CHECK return at once
  /// (containernetworking/plugins, plugins/meta/portmap). Its process costs a pod some milliseconds at start and again at stop.
  private static let portMapper = "portmap"

  /// - Parameter networks: at least one.
  init(_ attachment: NetworkAttachment, networks: [NetworkList]) throws(Fault) {
    try self.init(attachment, network: networks[0], interface: 0)
    for (index, network) in networks.enumerated().dropFirst() {
      additional.append(try AttachmentRecord(attachment, network: network, interface: index))
    }
  }

  private init(_ attachment: NetworkAttachment, network: NetworkList, interface: Int) throws(Fault) {
    target = Target(
      containerID: attachment.sandboxID, netns: attachment.netnsPath, ifName: "eth\(interface)",
      arguments: try Capabilities.arguments(attachment))
    self.network = network
    capabilities = try Capabilities.values(attachment)
    let idle = network.plugins.filter { $0.type == Self.portMapper && $0.configuration["runtimeConfig"] == nil }
    // As the first of a chain it has no prevResult to print: let it say so itself.
    if capabilities["portMappings"] == nil, network.plugins.first?.type != Self.portMapper, !idle.isEmpty { skipped = [Self.portMapper] }
  }

  /// A stand-in for a file that cannot be read: identity only.
  init(unreadable sandboxID: String) {
    target = Target(containerID: sandboxID, netns: "", arguments: "IgnoreUnknown=1;K8S_POD_INFRA_CONTAINER_ID=\(sandboxID)")
  }
}

extension AttachmentRecord {
  private static let format = 1

  var json: JSON {
    var json: JSON = [
      "format": .number("\(Self.format)"), "sandboxID": .string(target.containerID), "netns": .string(target.netns),
      "ifName": .string(target.ifName), "arguments": .string(target.arguments), "capabilities": capabilities,
      "skipped": .array(skipped.map { .string($0) }), "failures": .number("\(failures)"), "lastError": .string(lastError),
    ]
    if let network { json = json.setting("network", network.json) }
    if let result { json = json.setting("result", result) }
    if !additional.isEmpty { json = json.setting("additional", .array(additional.map(\.json))) }
    return json
  }

  /// Nil where it is not a record of this format.
  init?(_ json: JSON) {
    guard json["format"]?.integer == Self.format, let id = json["sandboxID"]?.string, let netns = json["netns"]?.string,
      let ifName = json["ifName"]?.string, let arguments = json["arguments"]?.string
    else { return nil }
    target = Target(containerID: id, netns: netns, ifName: ifName, arguments: arguments)
    network = json["network"].flatMap { try? NetworkList($0) }
    capabilities = json["capabilities"] ?? [:]
    skipped = json["skipped"]?.array?.compactMap(\.string) ?? []
    result = json["result"]
    additional = (json["additional"]?.array ?? []).compactMap { AttachmentRecord($0) }
    failures = json["failures"]?.integer ?? 0
    lastError = json["lastError"]?.string ?? ""
  }
}
