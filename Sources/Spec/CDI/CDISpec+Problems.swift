extension CDISpec {
  /// What is wrong with a file whose every field is of the right type.
  var problem: String? {
    if let problem = versionProblem { return problem }
    if !CDIName.isKind(kind) { return "kind \"\(kind.prefix(100))\" is not of the form vendor/class" }
    if devices.isEmpty { return "there are no devices" }
    var names: Set<String> = []
    for device in devices {
      if !CDIName.isDevice(device.name) { return "\"\(device.name.prefix(100))\" cannot be a device's name" }
      if !names.insert(device.name).inserted { return "device \"\(device.name)\" is there twice" }
    }
    return ([containerEdits] + devices.map(\.containerEdits)).lazy.compactMap(\.problem).first
  }
}

extension CDISpec.Edits {
  private static let hookNames: Set = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"]

  fileprivate var problem: String? {
    if let entry = Self.wrongEntry(env) { return "env \"\(entry.prefix(100))\" is not NAME=value" }
    for node in deviceNodes { if let problem = node.problem { return problem } }
    for mount in mounts where !mount.containerPath.hasPrefix("/") {
      return "a mount from \"\(mount.hostPath.prefix(100))\" to \"\(mount.containerPath.prefix(100))\" is not possible"
    }
    for hook in hooks {
      if !Self.hookNames.contains(hook.hookName) || !hook.path.hasPrefix("/") {
        return "hook \"\(hook.hookName.prefix(40))\" of \"\(hook.path.prefix(100))\" is not known, or its path not absolute"
      }
      if let entry = Self.wrongEntry(hook.env ?? []) { return "hook \(hook.path): env \"\(entry.prefix(100))\" is not NAME=value" }
    }
    if let problem = CDISpec.NetDevice.problem(netDevices) { return problem }
    return intelRdt?.problem
  }

  private static func wrongEntry(_ entries: [String]) -> String? {
    entries.first { ($0.utf8.firstIndex(of: UInt8(ascii: "=")) ?? $0.startIndex) == $0.startIndex }
  }
}

extension CDISpec.DeviceNode {
  fileprivate var problem: String? {
    if !path.hasPrefix("/") { return "device node \"\(path.prefix(100))\" is not an absolute path" }
    if let type, !["b", "c", "u", "p", ""].contains(type) { return "device node \(path): type \"\(type.prefix(10))\" is not known" }
    let isKnown = permissions == "none" || (permissions ?? "").utf8.allSatisfy { "rwm".utf8.contains($0) }
    return isKnown ? nil : "device node \(path): permissions \"\(permissions?.prefix(10) ?? "")\" are neither letters of rwm nor none"
  }
}

extension CDISpec.NetDevice {
  fileprivate static func problem(_ devices: [CDISpec.NetDevice]) -> String? {
    for (index, device) in devices.enumerated() {
      let others = devices[..<index]
      if others.contains(where: { $0.hostInterfaceName == device.hostInterfaceName || $0.name == device.name }) {
        return "netDevices[\(index)] (\(device.hostInterfaceName.prefix(40)), \(device.name.prefix(40))) is there twice"
      }
    }
    return nil
  }
}

extension CDISpec.IntelRDT {
  /// The class of service is a directory of the resctrl filesystem; "/" is its root.
  fileprivate var problem: String? {
    guard let closID, closID != "/" else { return nil }
    let isName = closID.utf8.count < 4096 && ![".", ".."].contains(closID) && !closID.utf8.contains { $0 == 0x2F || $0 == 0x0A }
    return isName ? nil : "intelRdt.closID \"\(closID.prefix(100))\" is not allowed"
  }
}

/// Versions (specs-go/version.go): a file must name one that has all it uses.
extension CDISpec {
  private static let versions = ["0.1.0", "0.2.0", "0.3.0", "0.4.0", "0.5.0", "0.6.0", "0.7.0", "0.8.0", "1.0.0", "1.1.0"]

  fileprivate var versionProblem: String? {
    let name = cdiVersion.hasPrefix("v") ? String(cdiVersion.dropFirst()) : cdiVersion
    guard let given = Self.versions.firstIndex(of: name) else { return "cdiVersion \"\(cdiVersion.prefix(40))\" is not known" }
    guard let needed = needs.filter({ (Self.versions.firstIndex(of: $0.version) ?? 0) > given }).last else { return nil }
    return "cdiVersion is \(cdiVersion), but \(needed.feature) came with \(needed.version)"
  }

  /// Oldest first.
  private var needs: [(version: String, feature: String)] {
    let edits = [containerEdits] + devices.map(\.containerEdits)
    let className = kind.split(separator: "/").last ?? ""
    let features: [(Bool, String, String)] = [
      (edits.contains { $0.mounts.contains { !($0.type ?? "").isEmpty } }, "0.4.0", "a mount's type"),
      (devices.contains { $0.name.first?.isNumber == true }, "0.5.0", "a device name that begins with a digit"),
      (edits.contains { $0.deviceNodes.contains { !($0.hostPath ?? "").isEmpty } }, "0.5.0", "a device node's hostPath"),
      (hasAnnotations || devices.contains(where: \.hasAnnotations), "0.6.0", "annotations"),
      (className.contains("."), "0.6.0", "a dot in the class"),
      (edits.contains { !$0.additionalGids.isEmpty }, "0.7.0", "additionalGids"),
      (edits.contains { $0.intelRdt != nil }, "0.7.0", "intelRdt"),
      (edits.contains { !$0.netDevices.isEmpty }, "1.1.0", "netDevices"),
      (
        edits.contains { $0.intelRdt?.schemata != nil || $0.intelRdt?.enableMonitoring != nil }, "1.1.0",
        "intelRdt.schemata and enableMonitoring"
      ),
    ]
    return features.filter(\.0).map { ($0.1, $0.2) }
  }
}
