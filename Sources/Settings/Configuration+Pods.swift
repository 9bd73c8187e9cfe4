extension Configuration {
  /// `[pods]`
  package struct Pods: Equatable, Sendable {
    /// Key `enable_unprivileged_ports`: net.ipv4.ip_unprivileged_port_start=0 in pods with a network of their own.
    package var unprivilegedPorts = true
    /// Key `enable_unprivileged_icmp`: net.ipv4.ping_group_range includes every group of such pods.
    package var unprivilegedPing = true
    /// Table `sysctls`: of pods that have a namespace of their own for them; what a pod asks for comes over it.
    package var sysctls: [String: String] = [:]
    /// Key `shm_size`, bytes: /dev/shm of a pod.
    package var shmSize = 64 << 20
    /// Key `netns_directory`: where network namespaces are mounted.
    package var netnsDirectory = "/run/netns"
    /// Key `shared_cpuset`: processors that containers may have besides their own, `0-1`; `nil` for none.
    package var sharedProcessors: String?
    /// Key `irqbalance_config_file`: the environment file of irqbalance, told which processors take no interrupts.
    package var irqbalance = "/etc/sysconfig/irqbalance"
    /// Key `host_network_own_uts`: pods on the host's network have a host name of their own, which begins as the host's.
    package var hostNetworkOwnsUTS = false
    /// Keys `minimum_mappable_uid` and `minimum_mappable_gid`: the lowest host IDs that user namespaces of pods may map.
    package var minimumUser = 0
    package var minimumGroup = 0
    /// Keys `uid_mappings` and `gid_mappings`, `CONTAINER:HOST:SIZE,…`: of pods that say nothing themselves and share nothing with the host; `nil` for none.
    package var userMappings: String?
    package var groupMappings: String?
    /// Key `userns_auto_user`: whose lines of the files below have the host IDs of pods with `userns-mode.crio.io: auto`.
    package var subordinateOwner = "containers"
    /// Keys `subuid_file` and `subgid_file`.
    package var subordinateUsers = "/etc/subuid"
    package var subordinateGroups = "/etc/subgid"
  }
}

extension Configuration.Pods {
  private static let hostIDs = 0...Int(UInt32.max - 1)

  mutating func apply(_ table: inout TableReader) throws(SettingsError) {
    try table.set(&unprivilegedPorts, "enable_unprivileged_ports")
    try table.set(&unprivilegedPing, "enable_unprivileged_icmp")
    try table.set(&shmSize, "shm_size", check: Check.range(4096...(1 << 50)))
    try table.set(&netnsDirectory, "netns_directory", check: Check.absolute)
    try table.set(&hostNetworkOwnsUTS, "host_network_own_uts")
    try table.set(&sharedProcessors, "shared_cpuset", check: Check.processors)
    try table.set(&irqbalance, "irqbalance_config_file", check: Check.absolute)
    try table.set(&minimumUser, "minimum_mappable_uid", check: Check.range(Self.hostIDs))
    try table.set(&minimumGroup, "minimum_mappable_gid", check: Check.range(Self.hostIDs))
    try table.set(&userMappings, "uid_mappings")
    try table.set(&groupMappings, "gid_mappings")
    try table.set(&subordinateOwner, "userns_auto_user") { $0.isEmpty || $0.contains(":") ? "must be a user's name" : nil }
    try table.set(&subordinateUsers, "subuid_file", check: Check.absolute)
    try table.set(&subordinateGroups, "subgid_file", check: Check.absolute)
    try table.within("sysctls") { (table) throws(SettingsError) in
      for name in table.rest { sysctls[name] = try table.take(name) }
    }
  }
}
