import OCI

extension Configuration.Containers {
  mutating func apply(_ table: inout TableReader) throws(SettingsError) {
    try table.set(&ignoresAppArmor, "disable_apparmor")
    try table.set(&selinux, "selinux") {
      ["enabled", "disabled", "ignored"].contains($0) ? nil : "must be enabled, disabled or ignored, found \"\($0)\""
    }
    try table.set(&hostNetworkHasNoLabels, "hostnetwork_disable_selinux")
    try table.set(&selinuxCategories, "selinux_category_range", check: Check.range(2...1024))
    try table.set(&appArmorProfile, "apparmor_profile")
    try table.set(&devicesFollowUser, "device_ownership_from_security_context")
    try table.set(&hostPathSeconds, "host_path_timeout", check: Check.range(1...600))
    try table.set(&ulimits, "default_ulimits", check: Check.ulimits)
    try table.set(&environment, "default_env", check: Check.environment)
    try table.set(&capabilities, "default_capabilities")
    try table.set(&inheritsCapabilities, "add_inheritable_capabilities")
    try table.set(&seccompProfile, "seccomp_profile", check: Check.absolute)
    try table.set(&unsetSeccomp, "unset_seccomp_profile", check: Check.seccomp)
    try table.set(&privilegedSeccompProfile, "privileged_seccomp_profile", check: Check.absolute)
    try table.set(&pidsLimit, "pids_limit", check: Check.range(0...(1 << 22)))
    try table.set(&devices, "additional_devices")
    try table.set(&allowedDevices, "allowed_devices", check: Check.absoluteList)
    try table.set(&isReadonly, "read_only")
    try table.set(&addsUsers, "add_passwd_entries")
    try table.set(&timezone, "timezone", check: Check.timezone)
    try table.set(&goProcesses, "min_injected_gomaxprocs", check: Check.range(0...(1 << 16)))
    try table.set(&linksMountTable, "add_mtab")
    try table.set(&marksContainers, "add_containerenv")
    try table.set(&ignoresImageVolumes, "ignore_image_defined_volumes")
    try table.set(&defaultMountsFile, "default_mounts_file", check: Check.absolute)
    try table.set(&hookDirectories, "hooks_dir", check: Check.absoluteList)
    try table.set(&bindMountPrefix, "bind_mount_prefix", check: Check.absolute)
    try table.set(&fips, "fips") {
      ["auto", "enabled", "disabled"].contains($0) ? nil : "must be auto, enabled or disabled, found \"\($0)\""
    }
    try table.set(&rejectedSources, "absent_mount_sources_to_reject", check: Check.absoluteList)
  }
}

extension Check {
  static func ulimits(_ texts: [String]) -> String? {
    texts.first { RuntimeSpec.Rlimit(ulimit: $0) == nil }.map { "must be like \"nofile=1024:4096\", found \"\($0)\"" }
  }

  static func environment(_ entries: [String]) -> String? {
    entries.first { !$0.dropFirst().contains("=") || $0.hasPrefix("=") }.map { "must be NAME=value, found \"\($0)\"" }
  }

  static func seccomp(_ text: String) -> String? {
    ["unconfined", "runtime/default"].contains(text) || text.hasPrefix("localhost//")
      ? nil : "must be unconfined, runtime/default, or localhost/ and an absolute path, found \"\(text)\""
  }

  static func timezone(_ name: String) -> String? {
    name.isEmpty || name.hasPrefix("/") || name.split(separator: "/").contains("..") ? "must be a zone's name, found \"\(name)\"" : nil
  }
}
