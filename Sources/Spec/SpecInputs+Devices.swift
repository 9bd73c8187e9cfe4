import CRIAPI
import Core
import Linux
import OCI

/// Device nodes and what the cgroup lets a container do with them.
struct DevicePlan: Hashable {
  var nodes: [RuntimeSpec.Device] = []
  var rules: [RuntimeSpec.DeviceRule] = []
}

extension SpecInputs {
  /// Privileged: all of the host's, unless the handler keeps them. Otherwise nothing but what every container has and the CRI names.
  func devicePlan() throws(Fault) -> DevicePlan {
    var plan = DevicePlan()
    if security.privileged, !handler.hidesHostDevices {
      plan.nodes = try stage("listing the host's devices") { try lookups.hostDevices() }.map { $0.spec(at: $0.path) }
      plan.rules = [RuntimeSpec.DeviceRule(allow: true, access: "rwm")]
    } else if security.privileged, handler.allowsAllDevices {
      plan.rules = [RuntimeSpec.DeviceRule(allow: true, access: "rwm")]
    } else {
      plan.rules = [RuntimeSpec.DeviceRule(allow: false, access: "rwm")] + DevicePlan.everyones
    }
    for (index, device) in node.defaults.devices.enumerated() { try add(device, "additional_devices[\(index)]", to: &plan) }
    let annotated = try annotatedDevices()
    if !annotated.isEmpty { try stage(annotated[0].field) { try lookups.look(annotated.map(\.device.hostPath)) } }
    for (field, device) in annotated { try add(device, field, to: &plan) }
    for (index, device) in container.devices.enumerated() { try add(device, "devices[\(index)]", to: &plan) }
    return plan
  }

  /// What is there and cannot be used is the client's to mend.
  private func find(_ path: String) throws -> [DeviceNode] {
    do { return try lookups.devices(path) } catch let error as SystemError {
      throw Fault(error.number == error.noEntry ? .notFound : .failedPrecondition, "\(error)", cause: error)
    }
  }

  private func add(_ device: Runtime_V1_Device, _ field: String, to plan: inout DevicePlan) throws(Fault) {
    let access = device.permissions.isEmpty ? "rwm" : device.permissions
    let source = ContainerPath.clean(device.hostPath)
    let path = device.containerPath.isEmpty ? source : device.containerPath
    for node in try stage("\(field).host_path", { try find(source) }) {
      let target = path + node.path.dropFirst(source.count)
      plan.nodes.removeAll { $0.path == target }
      plan.nodes.append(owned(node).spec(at: ContainerPath.clean(target)))
      plan.rules.append(
        RuntimeSpec.DeviceRule(allow: true, type: node.kind.rawValue, major: Int64(node.major), minor: Int64(node.minor), access: access))
    }
  }
}

extension SpecInputs {
  /// With `device_ownership_from_security_context` a process that is not root can use its devices.
  private func owned(_ device: DeviceNode) -> DeviceNode {
    var device = device
    guard node.devicesFollowUser, security.hasRunAsUser else { return device }
    device.uid = UInt32(clamping: security.runAsUser.value)
    if security.hasRunAsGroup { device.gid = UInt32(clamping: security.runAsGroup.value) }
    return device
  }
}

extension DevicePlan {
  /// Making nodes is harmless without using them; null, zero, full, tty, random, urandom, ptmx and terminals are part of every container
  /// (config-linux.md "Default Devices").
  fileprivate static let everyones: [RuntimeSpec.DeviceRule] =
    ["c", "b"].map { RuntimeSpec.DeviceRule(allow: true, type: $0, access: "m") }
    + [(1, 3), (1, 5), (1, 7), (5, 0), (1, 8), (1, 9), (5, 2)].map {
      RuntimeSpec.DeviceRule(allow: true, type: "c", major: $0, minor: $1, access: "rwm")
    } + [RuntimeSpec.DeviceRule(allow: true, type: "c", major: 136, access: "rwm")]
}

extension DeviceNode {
  fileprivate func spec(at path: String) -> RuntimeSpec.Device {
    RuntimeSpec.Device(path: path, type: kind.rawValue, major: Int64(major), minor: Int64(minor), fileMode: mode, uid: uid, gid: gid)
  }
}
