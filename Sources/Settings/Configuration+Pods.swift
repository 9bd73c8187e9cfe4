extension Configuration.Pods {
  private static let hostIDs = 0...Int(UInt32.max - 1)

  mutating func apply(_ table: inout TableReader) throws(SettingsError) {
    try table.set(&unprivilegedPorts, "enable_unprivileged_ports")
    try table.set(&unprivilegedPing, "enable_unprivileged_icmp")
    try table.set(&shmSize, "shm_size", check: Check.range(4096...(1 << 50)))
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
