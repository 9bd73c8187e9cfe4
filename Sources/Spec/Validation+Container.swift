package import CRIAPI
package import Core

extension Validation {
  package static func check(_ container: Runtime_V1_ContainerConfig) throws(Fault) {
    guard container.hasMetadata else { throw refuse("metadata", "is missing") }
    try require(container.metadata.name, "metadata.name")
    try checkLine(container.metadata.name, "metadata.name")
    try checkTexts(container.command, "command")
    try checkTexts(container.args, "args")
    try checkText(container.workingDir, "working_dir")
    try checkEnvironment(container)
    for (index, mount) in container.mounts.enumerated() { try check(mount, "mounts[\(index)]") }
    for (index, device) in container.devices.enumerated() { try check(device, "devices[\(index)]") }
    try checkTexts(container.labels, "labels")
    try checkTexts(container.annotations, "annotations")
    try checkNoClimbing(container.logPath, "log_path")
    if case .UNRECOGNIZED(let value) = container.stopSignal { throw refuse("stop_signal", "there is no signal \(value)") }
    try check(container.linux.resources, "linux.resources")
    try check(container.linux.securityContext)
  }

  /// Values may be secrets: messages name only keys.
  private static func checkEnvironment(_ container: Runtime_V1_ContainerConfig) throws(Fault) {
    for (index, entry) in container.envs.enumerated() {
      let field = "envs[\(index)]"
      try require(entry.key, "\(field).key")
      if entry.key.contains("=") { throw refuse("\(field).key", "\"\(entry.key.prefix(100))\" has a \"=\"") }
      if entry.value.contains(0) { throw refuse("\(field).value", "the value of \(entry.key.prefix(100)) has a NUL byte") }
    }
  }

  private static func check(_ mount: Runtime_V1_Mount, _ field: String) throws(Fault) {
    try require(mount.containerPath, "\(field).container_path")
    try checkAbsolute(mount.containerPath, "\(field).container_path")
    try checkNoClimbing(mount.imageSubPath, "\(field).image_sub_path")
    if mount.hasImage, !mount.image.image.isEmpty { return }
    try require(mount.hostPath, "\(field).host_path")
    try checkAbsolute(mount.hostPath, "\(field).host_path")
  }

  private static func check(_ device: Runtime_V1_Device, _ field: String) throws(Fault) {
    try require(device.hostPath, "\(field).host_path")
    try checkAbsolute(device.hostPath, "\(field).host_path")
    if !device.containerPath.isEmpty { try checkAbsolute(device.containerPath, "\(field).container_path") }
    let areLetters = device.permissions.utf8.allSatisfy { "rwm".utf8.contains($0) }
    if !areLetters { throw refuse("\(field).permissions", "\"\(device.permissions.prefix(20))\" has other letters than r, w and m") }
  }

  private static func check(_ security: Runtime_V1_LinuxContainerSecurityContext) throws(Fault) {
    let field = "linux.security_context"
    if security.hasRunAsUser { try checkID(security.runAsUser.value, "\(field).run_as_user") }
    if security.hasRunAsGroup { try checkID(security.runAsGroup.value, "\(field).run_as_group") }
    try checkText(security.runAsUsername, "\(field).run_as_username")
    for (index, group) in security.supplementalGroups.enumerated() { try checkID(group, "\(field).supplemental_groups[\(index)]") }
    if case .UNRECOGNIZED(let value) = security.supplementalGroupsPolicy {
      throw refuse("\(field).supplemental_groups_policy", "there is no policy \(value)")
    }
    for (index, path) in security.maskedPaths.enumerated() { try checkAbsolute(path, "\(field).masked_paths[\(index)]") }
    for (index, path) in security.readonlyPaths.enumerated() { try checkAbsolute(path, "\(field).readonly_paths[\(index)]") }
    try checkText(security.seccomp.localhostRef + security.seccompProfilePath, "\(field).seccomp")
    try checkText(security.apparmor.localhostRef + security.apparmorProfile, "\(field).apparmor")
    try PodNamespaces.refuseUserNamespace(security.namespaceOptions, "\(field).namespace_options")
  }
}
