import Core
import Engine
import Linux
import OCI
import Settings
import Spec

extension Configuration.Containers {
  /// `[containers]` as specs take it; FAILED_PRECONDITION or INVALID_ARGUMENT where a key's value cannot be used on this node.
  func defaults() throws -> ContainerDefaults {
    var defaults = ContainerDefaults()
    defaults.limits = ulimits.compactMap(RuntimeSpec.Rlimit.init(ulimit:))
    defaults.environment = environment
    if let capabilities {
      defaults.capabilities = try stage("containers.default_capabilities") { try ContainerDefaults.capabilities(capabilities) }
    }
    defaults.inheritsCapabilities = inheritsCapabilities
    defaults.seccomp = try SeccompProfile.ofOperator(seccompProfile, "containers.seccomp_profile")
    defaults.unsetSeccomp = unsetSeccomp
    defaults.privilegedSeccomp = try SeccompProfile.ofOperator(privilegedSeccompProfile, "containers.privileged_seccomp_profile")
    defaults.devices = try devices.map { device in try stage("containers.additional_devices") { try ContainerDefaults.device(device) } }
    defaults.allowedDevices = Set(allowedDevices)
    defaults.isReadonly = isReadonly
    defaults.addsUsers = addsUsers
    defaults.goProcesses = Int64(goProcesses)
    defaults.timezone = try timezoneFile()
    return defaults
  }

  private func timezoneFile() throws -> String? {
    guard let timezone else { return nil }
    let file = timezone == "Local" ? "/etc/localtime" : "/usr/share/zoneinfo/" + timezone
    guard Files.isRegularFile(file) else { throw Fault(.failedPrecondition, "containers.timezone: \(file) is not there") }
    return file
  }
}

extension Configuration.Containers {
  /// FAILED_PRECONDITION where labels are wanted and the node cannot have any.
  func selinuxMode(hasSELinux: Bool) throws -> SELinuxMode {
    switch selinux {
    case "ignored": return .ignored
    case "enabled":
      guard hasSELinux else { throw Fault(.failedPrecondition, "containers.selinux is \"enabled\", but this node has no SELinux") }
      return .enforced(try SELinuxContexts.ofNode())
    default: return .none(reason: hasSELinux ? "[containers] selinux is \"disabled\"" : "this node has no SELinux")
    }
  }
}

extension SeccompProfile {
  /// A profile that a key names; what is wrong with it shows at the daemon's start, not in every pod.
  static func ofOperator(_ path: String?, _ key: String) throws -> SeccompProfile? {
    guard let path else { return nil }
    return try stage("\(key) \(path)") {
      let profile = try parse(try Files.read(path, limit: 4 << 20))
      _ = try profile.resolved(for: Capability.all)
      return profile
    }
  }
}

extension Configuration.Pods {
  /// INVALID_ARGUMENT for a sysctl that would change the host, and for mappings that are none or not allowed.
  func defaults() throws(Fault) -> PodDefaults {
    var defaults = PodDefaults()
    (defaults.unprivilegedPorts, defaults.unprivilegedPing) = (unprivilegedPorts, unprivilegedPing)
    (defaults.shmSize, defaults.ownsUTS, defaults.netnsDirectory) = (shmSize, hostNetworkOwnsUTS, netnsDirectory)
    (defaults.lowestUser, defaults.lowestGroup) = (UInt32(clamping: minimumUser), UInt32(clamping: minimumGroup))
    defaults.userNamespaces = try userNamespaces()
    if let maps = defaults.userNamespaces.standard { try defaults.checkMappings(maps, "pods: mappings") }
    for (name, value) in sysctls {
      guard SysctlScope(name) != nil else {
        throw Fault(.invalidArgument, "pods.sysctls: \(name) is not part of any namespace: it would change the host")
      }
      defaults.sysctls[name] = value
    }
    return defaults
  }

  private func userNamespaces() throws(Fault) -> UserNamespaceSources {
    var sources = UserNamespaceSources()
    (sources.owner, sources.subordinateUsers, sources.subordinateGroups) = (subordinateOwner, subordinateUsers, subordinateGroups)
    guard let userMappings, let groupMappings else {
      if userMappings == nil, groupMappings == nil { return sources }
      throw Fault(.invalidArgument, "pods: one of uid_mappings and gid_mappings is missing")
    }
    let maps = IDMaps(
      users: try UserNamespaceMode.ranges(userMappings, "pods.uid_mappings"),
      groups: try UserNamespaceMode.ranges(groupMappings, "pods.gid_mappings"))
    try maps.checkRoot("pods.uid_mappings, pods.gid_mappings")
    sources.standard = maps
    return sources
  }
}

extension ShimPlacement {
  init(_ settings: Configuration.Shim) {
    self.init()
    (cgroup, processors) = (settings.cgroup, settings.processors)
    shares = settings.shares > 0 ? settings.shares : nil
    oomScore = Int32(clamping: settings.oomScore)
  }
}
