import OCI

/// A file of the Container Device Interface: devices of one kind, and what a container needs to use them
/// (github.com/cncf-tags/container-device-interface, SPEC.md).
struct CDISpec: Hashable, Decodable {
  static let versions: Set = [
    "0.1.0", "0.2.0", "0.3.0", "0.4.0", "0.5.0", "0.6.0", "0.7.0", "0.8.0", "1.0.0", "1.1.0",
  ]

  var cdiVersion: String
  var kind: String
  var devices: [Device]
  /// For every device of the file.
  var containerEdits: Edits?

  struct Device: Hashable, Decodable {
    var name: String
    var containerEdits: Edits?
  }

  struct Edits: Hashable, Decodable {
    var env: [String]?
    var deviceNodes: [DeviceNode]?
    var mounts: [Mount]?
    var hooks: [Hook]?
    var additionalGids: [UInt32]?
    var intelRdt: Unsupported?
    var netDevices: [Unsupported]?
  }

  struct DeviceNode: Hashable, Decodable {
    var path: String
    var hostPath: String?
    var type: String?
    var major: Int64?
    var minor: Int64?
    var fileMode: UInt32?
    var permissions: String?
    var uid: UInt32?
    var gid: UInt32?
  }

  struct Mount: Hashable, Decodable {
    var hostPath: String
    var containerPath: String
    var type: String?
    var options: [String]?
  }

  struct Hook: Hashable, Decodable {
    var hookName: String
    var path: String
    var args: [String]?
    var env: [String]?
    var timeout: Int?
  }

  /// Only that it is there is read.
  struct Unsupported: Hashable, Decodable {
    init(from decoder: any Decoder) throws {}
  }
}

extension CDISpec {
  /// Throws why the file cannot be used, as words.
  static func parse(_ bytes: [UInt8]) throws(DocumentError) -> CDISpec {
    let spec = try JSONDocument.decode(CDISpec.self, from: bytes, as: "CDI spec", limit: 8 << 20)
    if let problem = spec.problem { throw DocumentError("CDI spec", problem) }
    return spec
  }

  private var problem: String? {
    if !CDISpec.versions.contains(cdiVersion) { return "cdiVersion \"\(cdiVersion.prefix(40))\" is not known" }
    if !CDIName.isKind(kind) { return "kind \"\(kind.prefix(100))\" is not of the form vendor/class" }
    if devices.isEmpty { return "there are no devices" }
    var names: Set<String> = []
    for device in devices {
      if !CDIName.isDevice(device.name) { return "\"\(device.name.prefix(100))\" cannot be a device's name" }
      if !names.insert(device.name).inserted { return "device \"\(device.name)\" is there twice" }
    }
    return ([containerEdits] + devices.map(\.containerEdits)).lazy.compactMap { $0?.problem }.first
  }
}

extension CDISpec.Edits {
  private static let hookNames: Set = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"]

  fileprivate var problem: String? {
    for entry in env ?? [] where entry.first == "=" || !entry.contains("=") || entry.utf8.contains(0) {
      return "env \"\(entry.prefix(100))\" is not NAME=value"
    }
    for node in deviceNodes ?? [] { if let problem = node.problem { return problem } }
    for mount in mounts ?? [] where mount.hostPath.isEmpty || !mount.containerPath.hasPrefix("/") {
      return "a mount from \"\(mount.hostPath.prefix(100))\" to \"\(mount.containerPath.prefix(100))\" is not possible"
    }
    for hook in hooks ?? [] where !Self.hookNames.contains(hook.hookName) || !hook.path.hasPrefix("/") {
      return "hook \"\(hook.hookName.prefix(40))\" of \"\(hook.path.prefix(100))\" is not known, or its path not absolute"
    }
    return nil
  }
}

extension CDISpec.DeviceNode {
  fileprivate var problem: String? {
    if !path.hasPrefix("/") { return "device node \"\(path.prefix(100))\" is not an absolute path" }
    if let type, !["b", "c", "u", "p", ""].contains(type) { return "device node \(path): type \"\(type.prefix(10))\" is not known" }
    let letters = (permissions ?? "").utf8.allSatisfy { "rwm".utf8.contains($0) }
    return letters ? nil : "device node \(path): permissions \"\(permissions?.prefix(10) ?? "")\" have other letters than r, w and m"
  }
}
