import CRIAPI
import Core

extension SpecInputs {
  /// Devices that the annotation names, each with its field for messages. Only what the node's operator allows, and only below /dev.
  func annotatedDevices() throws(Fault) -> [(field: String, device: Runtime_V1_Device)] {
    guard let text = experiment(.devices) else { return [] }
    let field = ExperimentalAnnotation.devices.field
    var devices: [(String, Runtime_V1_Device)] = []
    for entry in text.split(separator: ",") {
      let device = try stage(field) { try ContainerDefaults.device(Self.completed(String(entry))) }
      guard node.defaults.allowedDevices.contains(device.hostPath) else {
        throw Fault(.failedPrecondition, "\(field): this node does not give \(device.hostPath.prefix(200)) to containers (allowed_devices)")
      }
      guard ContainerPath.clean(device.containerPath).hasPrefix("/dev/") else {
        throw Fault(.invalidArgument, "\(field): \"\(device.containerPath.prefix(200))\" is not below /dev")
      }
      devices.append((field, device))
    }
    return devices
  }

  /// `/dev/fuse:rw` is the same path in the container.
  private static func completed(_ text: String) -> String {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    return parts.count == 2 && !parts[1].hasPrefix("/") ? "\(parts[0]):\(parts[0]):\(parts[1])" : text
  }
}
