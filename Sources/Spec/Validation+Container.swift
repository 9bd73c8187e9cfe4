package import CRIAPI
package import Core

extension Validation {
  package static func check(_ container: Runtime_V1_ContainerConfig) throws(Fault) {
    guard container.hasMetadata else { throw refuse("metadata", "is missing") }
    try require(container.metadata.name, "metadata.name")
    try checkLine(container.metadata.name, "metadata.name")
    try checkNameLength(container.metadata.name, "metadata.name")
    try checkWords(container.command, "command")
    try checkWords(container.args, "args")
    if !container.workingDir.isEmpty { try checkAbsolute(container.workingDir, "working_dir") }
    try checkEnvironment(container)
    for (index, mount) in container.mounts.enumerated() { try check(mount, "mounts[\(index)]") }
    for (index, device) in container.devices.enumerated() { try check(device, "devices[\(index)]") }
    try checkTexts(container.labels, "labels")
    try checkTexts(container.annotations, "annotations")
    try checkNoClimbing(container.logPath, "log_path")
    if container.logPath.hasSuffix("/") || container.logPath.split(separator: "/").last == "." {
      throw refuse("log_path", "\"\(container.logPath)\" is a directory")
    }
    if container.hasWindows { throw refuse("windows", "this is Linux") }
    if case .UNRECOGNIZED(let value) = container.stopSignal { throw refuse("stop_signal", "there is no signal \(value)") }
    try check(container.linux.resources, "linux.resources")
    let (swap, memory) = (container.linux.resources.memorySwapLimitInBytes, container.linux.resources.memoryLimitInBytes)
    if swap > 0, memory <= 0 {
      throw refuse("linux.resources.memory_swap_limit_in_bytes", "\(swap) without a memory_limit_in_bytes, which it includes")
    }
    try check(container.linux.securityContext)
  }

  private static func check(_ options: Runtime_V1_NamespaceOption, _ field: String) throws(Fault) {
    for (name, mode) in [("network", options.network), ("pid", options.pid), ("ipc", options.ipc)] {
      if case .UNRECOGNIZED(let value) = mode { throw refuse("\(field).\(name)", "there is no namespace mode \(value)") }
      if mode == .target, name != "pid" { throw refuse("\(field).\(name)", "TARGET is only for PID namespaces") }
    }
    if options.pid != .target, !options.targetID.isEmpty { throw refuse("\(field).target_id", "is only for the PID mode TARGET") }
    if options.pid == .target { try require(options.targetID, "\(field).target_id") }
    _ = try PodNamespaces.idMaps(options, field)
  }

  /// Values may be secrets: messages name only keys.
  private static func checkEnvironment(_ container: Runtime_V1_ContainerConfig) throws(Fault) {
    for (index, entry) in container.envs.enumerated() {
      let field = "envs[\(index)]"
      try require(entry.key, "\(field).key")
      if entry.key.utf8.contains(UInt8(ascii: "=")) { throw refuse("\(field).key", "\"\(entry.key.prefix(100))\" has a \"=\"") }
      if entry.value.contains(0) { throw refuse("\(field).value", "the value of \(entry.key.prefix(100)) has a NUL byte") }
      // As the process will have it, KEY=VALUE.
      try checkWordLength(entry.key.utf8.count + 1 + entry.value.count, "\(field) (\(entry.key.prefix(100)))")
    }
  }

  private static func check(_ mount: Runtime_V1_Mount, _ field: String) throws(Fault) {
    try require(mount.containerPath, "\(field).container_path")
    try checkAbsolute(mount.containerPath, "\(field).container_path")
    try checkMappings(mount.uidMappings, "\(field).uidMappings")
    try checkMappings(mount.gidMappings, "\(field).gidMappings")
    if mount.uidMappings.isEmpty != mount.gidMappings.isEmpty { throw refuse(field, "has one of uidMappings and gidMappings") }
    if mount.isImage { return try checkImageMount(mount, field) }
    // An image_sub_path without an image means nothing: kubelets repeat there the subPath that host_path has already.
    try require(mount.hostPath, "\(field).host_path")
    try checkAbsolute(mount.hostPath, "\(field).host_path")
  }

  /// An image is not a directory of the host: what only makes sense for one is a mistake.
  private static func checkImageMount(_ mount: Runtime_V1_Mount, _ field: String) throws(Fault) {
    try checkText(mount.image.image, "\(field).image.image")
    try checkNoClimbing(mount.imageSubPath, "\(field).image_sub_path")
    if !mount.hostPath.isEmpty { throw refuse("\(field).host_path", "\"\(mount.hostPath.prefix(200))\" beside an image") }
    if mount.propagation != .propagationPrivate { throw refuse("\(field).propagation", "an image can only be mounted PRIVATE") }
    // Kubelets always say so.
    if !mount.readonly { throw refuse("\(field).readonly", "an image can only be mounted read-only") }
  }

  /// Ranges of IDs that do not overlap, each at most 2^32 - 1.
  static func checkMappings(_ mappings: [Runtime_V1_IDMapping], _ field: String) throws(Fault) {
    if mappings.count > 340 { throw refuse(field, "\(mappings.count) ranges, the kernel takes 340") }
    for (index, range) in mappings.enumerated() {
      let name = "\(field)[\(index)]"
      if range.length == 0 { throw refuse("\(name).length", "is 0") }
      for (part, first) in [("host_id", range.hostID), ("container_id", range.containerID)]
      where first.addingReportingOverflow(range.length - 1).overflow || first + (range.length - 1) == .max {
        throw refuse("\(name).\(part)", "\(first) and \(range.length) further IDs end above 4294967294")
      }
      for other in mappings[..<index]
      where overlap(range.containerID, other.containerID, range.length, other.length)
        || overlap(range.hostID, other.hostID, range.length, other.length)
      {
        throw refuse(
          name, "container_id \(range.containerID), host_id \(range.hostID), length \(range.length): overlaps an earlier range")
      }
    }
  }

  private static func overlap(_ a: UInt32, _ b: UInt32, _ lengthOfA: UInt32, _ lengthOfB: UInt32) -> Bool {
    a <= b + (lengthOfB - 1) && b <= a + (lengthOfA - 1)
  }

  private static func check(_ device: Runtime_V1_Device, _ field: String) throws(Fault) {
    try require(device.hostPath, "\(field).host_path")
    try checkAbsolute(device.hostPath, "\(field).host_path")
    if !device.containerPath.isEmpty { try checkAbsolute(device.containerPath, "\(field).container_path") }
    if !device.containerPath.isEmpty, ContainerPath.clean(device.containerPath) == "/" {
      throw refuse("\(field).container_path", "\"\(device.containerPath)\" is the root")
    }
    let areLetters = device.permissions.utf8.allSatisfy { "rwm".utf8.contains($0) }
    if !areLetters { throw refuse("\(field).permissions", "\"\(device.permissions.prefix(20))\" has other letters than r, w and m") }
  }

  private static func check(_ security: Runtime_V1_LinuxContainerSecurityContext) throws(Fault) {
    let field = "linux.security_context"
    if security.hasRunAsUser { try checkID(security.runAsUser.value, "\(field).run_as_user") }
    if security.hasRunAsGroup { try checkID(security.runAsGroup.value, "\(field).run_as_group") }
    try checkText(security.runAsUsername, "\(field).run_as_username")
    if security.hasRunAsUser, !security.runAsUsername.isEmpty {
      throw refuse("\(field).run_as_username", "\"\(security.runAsUsername.prefix(100))\" beside run_as_user \(security.runAsUser.value)")
    }
    try checkGroups(security.supplementalGroups, "\(field).supplemental_groups")
    if case .UNRECOGNIZED(let value) = security.supplementalGroupsPolicy {
      throw refuse("\(field).supplemental_groups_policy", "there is no policy \(value)")
    }
    for (index, path) in security.maskedPaths.enumerated() { try checkAbsolute(path, "\(field).masked_paths[\(index)]") }
    for (index, path) in security.readonlyPaths.enumerated() { try checkAbsolute(path, "\(field).readonly_paths[\(index)]") }
    try check(security.seccomp, "\(field).seccomp")
    try check(security.apparmor, "\(field).apparmor")
    try checkText(security.seccompProfilePath, "\(field).seccomp_profile_path")
    try checkText(security.apparmorProfile, "\(field).apparmor_profile")
    try check(security.selinuxOptions, "\(field).selinux_options")
    try check(security.namespaceOptions, "\(field).namespace_options")
  }
}
