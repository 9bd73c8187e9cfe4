import Core
import Linux
import OCI

extension SpecInputs {
  /// Adds what CDI devices need to a spec that is complete otherwise. The result are the destinations of what is bound from the host.
  func addCDI(to spec: inout RuntimeSpec) throws(Fault) -> Set<String> {
    let names = try cdiNames()
    if names.isEmpty { return [] }
    var binds: Set<String> = []
    let all = try CDIDirectories(node.cdiDirectories).edits(for: names)
    try stage("CDI \(names.map(\.description).joined(separator: ", ").prefix(300))") { try lookups.look(all.flatMap(\.edits.hostPaths)) }
    for edits in all {
      do throws(Fault) { try apply(edits.edits, to: &spec, &binds) } catch { throw error.within(edits.origin) }
    }
    // Later mounts must not be hidden by earlier ones' parents.
    let own = spec.mounts.prefix { !($0.options ?? []).contains { $0 == "rbind" || $0 == "bind" } }.count
    spec.mounts[own...].stablySort { ContainerPath.depth($0.destination) < ContainerPath.depth($1.destination) }
    return binds
  }

  private func apply(_ edits: CDISpec.Edits, to spec: inout RuntimeSpec, _ binds: inout Set<String>) throws(Fault) {
    var environment = Environment(spec.process.env)
    for entry in edits.env { environment.set(entry) }
    spec.process.env = environment.entries
    for node in edits.deviceNodes { try add(node, to: &spec) }
    try add(edits.netDevices, to: &spec)
    for mount in edits.mounts { try add(mount, to: &spec, &binds) }
    for hook in edits.hooks { spec.hooks.add(hook.runtimeHook, at: hook.hookName) }
    if let rdt = edits.intelRdt { spec.linux.intelRdt = try runtimeRDT(rdt) }
    var groups = spec.process.user.additionalGids ?? []
    for group in edits.additionalGids where group != 0 && !groups.contains(group) { groups.append(group) }
    if !groups.isEmpty { spec.process.user.additionalGids = groups }
  }

  private func add(_ node: CDISpec.DeviceNode, to spec: inout RuntimeSpec) throws(Fault) {
    var device = try complete(node)
    let user = spec.process.user
    if device.uid == nil, user.uid > 0 { device.uid = user.uid }
    if device.gid == nil, user.gid > 0 { device.gid = user.gid }
    spec.linux.devices = (spec.linux.devices ?? []).filter { $0.path != device.path } + [device]
    guard device.type != "p", node.permissions != "none" else { return }
    let access = node.permissions.map { $0.isEmpty ? "rwm" : $0 } ?? "rwm"
    let type = device.type == "u" ? "c" : device.type
    spec.linux.resources?.devices?.append(
      RuntimeSpec.DeviceRule(allow: true, type: type, major: device.major, minor: device.minor, access: access))
  }

  /// What the spec leaves out is as the host's device is.
  private func complete(_ node: CDISpec.DeviceNode) throws(Fault) -> RuntimeSpec.Device {
    let path = ContainerPath.clean(node.path)
    let type = node.type ?? ""
    if node.isComplete {
      return RuntimeSpec.Device(
        path: path, type: type, major: node.major ?? 0, minor: node.minor ?? 0, fileMode: node.fileMode, uid: node.uid, gid: node.gid)
    }
    let source = node.source
    let found = try stage("device node \(source)", { try lookups.devices(source) })
    guard let host = found.first, found.count == 1 else { throw Fault(.failedPrecondition, "device node \(source): is no device") }
    guard type.isEmpty || type == host.kind.rawValue || type == "u" else {
      throw Fault(.failedPrecondition, "device node \(source): is of type \(host.kind.rawValue), not \(type)")
    }
    return RuntimeSpec.Device(
      path: path, type: host.kind.rawValue, major: node.major ?? Int64(host.major), minor: node.minor ?? Int64(host.minor),
      fileMode: node.fileMode ?? host.mode, uid: node.uid, gid: node.gid)
  }

  private func add(_ mount: CDISpec.Mount, to spec: inout RuntimeSpec, _ binds: inout Set<String>) throws(Fault) {
    let destination = ContainerPath.clean(mount.containerPath)
    spec.mounts.removeAll { $0.destination == destination }
    let isBind = mount.isBind
    var options = (isBind && !mount.options.contains { $0 == "bind" || $0 == "rbind" } ? ["rbind"] : []) + mount.options
    if isBind {
      binds.insert(destination)
      if changesFlags(options) { options += try lockedOptions(of: mount.hostPath).filter { !options.contains($0) } }
    } else {
      binds.remove(destination)
    }
    spec.mounts.append(
      RuntimeSpec.Mount(destination, type: isBind ? "bind" : mount.type ?? "bind", source: mount.hostPath, options: options))
  }
}

/// What not every runtime can do, and what no runtime says that it ignores.
extension SpecInputs {
  private func add(_ devices: [CDISpec.NetDevice], to spec: inout RuntimeSpec) throws(Fault) {
    if devices.isEmpty { return }
    guard node.hasNetDevices else {
      throw Fault(
        .failedPrecondition,
        "netDevices: \(devices[0].hostInterfaceName): this OCI runtime does not move network devices (see its features)")
    }
    guard pod.networkNamespace != nil else {
      throw Fault(.failedPrecondition, "netDevices: \(devices[0].hostInterfaceName): the pod is on the host's network")
    }
    for device in devices {
      spec.linux.netDevices = (spec.linux.netDevices ?? [:]).merging([device.hostInterfaceName: .init(name: device.name)]) { $1 }
    }
  }

  private func runtimeRDT(_ rdt: CDISpec.IntelRDT) throws(Fault) -> RuntimeSpec.IntelRDT {
    guard node.hasResourceControl else {
      throw Fault(.failedPrecondition, "intelRdt: this node has no resctrl filesystem mounted, or its processor no such thing")
    }
    if rdt.schemata != nil || rdt.enableMonitoring != nil, !node.hasRDTSchemata {
      throw Fault(.failedPrecondition, "intelRdt: this OCI runtime knows neither schemata nor enableMonitoring (see its features)")
    }
    return RuntimeSpec.IntelRDT(
      closID: rdt.closID, l3CacheSchema: rdt.l3CacheSchema, memBwSchema: rdt.memBwSchema, schemata: rdt.schemata,
      enableMonitoring: rdt.enableMonitoring, enableCMT: rdt.enableCMT, enableMBM: rdt.enableMBM)
  }
}

extension CDISpec.Hook {
  var runtimeHook: RuntimeSpec.Hook { RuntimeSpec.Hook(path: path, args: args, env: env, timeout: timeout) }
}

extension ArraySlice {
  /// Equal elements keep their order.
  fileprivate mutating func stablySort(by precedes: (Element, Element) -> Bool) {
    let sorted = enumerated().sorted { precedes($0.element, $1.element) || !precedes($1.element, $0.element) && $0.offset < $1.offset }
    self = ArraySlice(sorted.map(\.element))
  }
}
