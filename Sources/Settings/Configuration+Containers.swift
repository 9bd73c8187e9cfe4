import OCI

extension Configuration {
  /// `[containers]`
  package struct Containers: Equatable, Sendable {
    /// Key `disable_apparmor`: as on a node without AppArmor.
    package var ignoresAppArmor = false
    /// Key `selinux`: `enabled`, `disabled` (asking for a label is an error) or `ignored`.
    package var selinux = "disabled"
    /// Key `hostnetwork_disable_selinux`: pods on the host's network have no labels.
    package var hostNetworkHasNoLabels = false
    /// Key `selinux_category_range`: pods have two of so many categories each.
    package var selinuxCategories = 1024
    /// Key `device_ownership_from_security_context`: device nodes belong to run_as_user and run_as_group instead of the host's owners.
    package var devicesFollowUser = false
    /// Key `host_path_timeout`, seconds: how long the host paths of a container may take to answer.
    package var hostPathSeconds = 20
    /// Key `default_ulimits`: `nofile=1024:4096`.
    package var ulimits: [String] = []
    /// Key `default_env`: `NAME=value`.
    package var environment: [String] = []
    /// Key `default_capabilities`: `nil` for docker's fourteen.
    package var capabilities: [String]?
    /// Key `add_inheritable_capabilities`.
    package var inheritsCapabilities = false
    /// Key `seccomp_profile`: a file with what RuntimeDefault means.
    package var seccompProfile: String?
    /// Key `unset_seccomp_profile`: what a config means that names none; `unconfined`, `runtime/default` or `localhost//path`.
    package var unsetSeccomp = "unconfined"
    /// Key `privileged_seccomp_profile`: a file; privileged containers have no filter without.
    package var privilegedSeccompProfile: String?
    /// Key `apparmor_profile`: what RuntimeDefault means, instead of Berth's own.
    package var appArmorProfile: String?
    /// Key `pids_limit`: processes and threads of a container; 0 for no limit.
    package var pidsLimit = 0
    /// Key `additional_devices`: `/dev/fuse:/dev/fuse:rwm`.
    package var devices: [String] = []
    /// Key `allowed_devices`: host paths of devices that pods may ask for by annotation.
    package var allowedDevices = ["/dev/fuse", "/dev/net/tun"]
    /// Key `read_only`: roots are read-only, with tmpfs on /run, /tmp and /var/tmp.
    package var isReadonly = false
    /// Key `add_passwd_entries`: a container's user that the image does not know gets an entry in its /etc/passwd, its group in /etc/group.
    package var addsUsers = false
    /// Key `timezone`: `Europe/Paris`, or `Local` for the host's own; `nil` leaves it to the image.
    package var timezone: String?
    /// Key `min_injected_gomaxprocs`: the least GOMAXPROCS of containers without a CPU limit of burstable and best-effort pods; 0 for none.
    package var goProcesses = 0
    /// Key `add_mtab`: /etc/mtab is a link to /proc/mounts where the image has none.
    package var linksMountTable = true
    /// Key `add_containerenv`: an empty /run/.containerenv, as podman has it.
    package var marksContainers = true
    /// Key `ignore_image_defined_volumes`: no volumes for the VOLUMEs of images.
    package var ignoresImageVolumes = false
    /// Key `default_mounts_file`: what of the host every container gets a copy of, in lines of two paths.
    package var defaultMountsFile: String?
    /// Key `hooks_dir`: directories with hooks for containers, a later one over an earlier one.
    package var hookDirectories: [String] = []
    /// Key `bind_mount_prefix`: where the host's root is, for the host paths of mounts; `nil` where it is berthd's own.
    package var bindMountPrefix: String?
    /// Key `fips`: `auto` (as the kernel says), `enabled` or `disabled`.
    package var fips = "auto"
    /// Key `absent_mount_sources_to_reject`: host paths that are never made where they are missing.
    package var rejectedSources: [String] = []
  }
}

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
