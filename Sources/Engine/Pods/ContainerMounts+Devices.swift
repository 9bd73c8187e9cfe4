import Core
import Linux
import OCI
import Spec

/// Devices of containers in a user namespace. Nobody makes device nodes there; OCI runtimes bind the host's own instead, by the path that it has in the
/// container and with the host's owners, who are nobody there. Berth makes nodes of its own for them: whatever they are called, and whoever is to use them.
extension ContainerMounts {
  /// The spec with binds of nodes instead of devices that are to be made. What the cgroup allows stays as it is.
  func makeDevices(_ built: BuiltSpec) async throws -> BuiltSpec {
    guard let maps = sandbox.plan.idMaps, let devices = built.spec.linux.devices, !devices.isEmpty else { return built }
    let place = directory + "/devices"
    var result = built
    result.spec.linux.devices = nil
    for (index, device) in devices.enumerated() {
      result.spec.mounts.append(RuntimeSpec.Mount(device.path, type: "bind", source: "\(place)/\(index)", options: ["bind", "rprivate"]))
    }
    try await BlockingWork.run {
      try Files.makeDirectories(place, mode: 0o711)
      try Mounts.mount("devices", on: place, type: "tmpfs", flags: [.noSUID, .noExec], data: "mode=711")
      let directory = try Directory.open(place)
      for (index, device) in devices.enumerated() {
        try stage("device \(device.path)") { try directory.makeDevice(RawName("\(index)"), device, maps) }
      }
    }
    return result
  }
}

extension Directory {
  /// Owners are meant as the container sees them; one that its namespace has not is its root.
  fileprivate func makeDevice(_ name: RawName, _ device: RuntimeSpec.Device, _ maps: IDMaps) throws {
    let types: [String: FileType] = ["c": .characterDevice, "u": .characterDevice, "b": .blockDevice, "p": .fifo]
    guard let type = types[device.type] else { throw Fault(.invalidArgument, "\"\(device.type.prefix(20))\" is no type of device") }
    let inside = FileOwner(user: device.uid ?? 0, group: device.gid ?? 0)
    guard let owner = maps.owner(inside) ?? maps.owner(.root) else { throw Fault(.failedPrecondition, "nobody is its owner") }
    try makeNode(name, type, device: DeviceNumber(major: UInt32(clamping: device.major), minor: UInt32(clamping: device.minor)))
    try setOwner(name, owner.user, owner.group)
    try setMode(name, UInt16(truncatingIfNeeded: device.fileMode ?? 0o666))
  }
}
