extension Configuration {
  /// `[cni]`
  package struct CNI: Equatable, Sendable {
    /// Key `bin_dirs`: where plugins are.
    package var binaryDirectories = ["/opt/cni/bin", "/usr/lib/cni"]
    /// Key `conf_dir`: where network configurations are.
    package var configurationDirectory = "/etc/cni/net.d"
    /// Key `max_conf_num`: networks that a pod is attached to, the first ones of `conf_dir`; 0 for all.
    package var maximumNetworks = 1
    /// Key `setup_serially`: a pod's networks are attached one after the other instead of at once.
    package var attachesSerially = false
    /// Key `check_after_setup`: a pod's networks are checked once they are attached; what fails, fails the pod.
    package var checksAttached = false
    /// Key `default_network`: the network that comes first, by its name instead of its file's.
    package var defaultNetwork: String?
    /// Key `ip_pref`: which address of a pod is its first, `ipv4`, `ipv6` or `cni` (as the plugins answered).
    package var addressPreference = "ipv4"
    /// Key `conf_template`: becomes a configuration in `conf_dir` when the kubelet tells the node's pod CIDR.
    package var template: String?
    /// Key `timeout`, seconds: for all plugins of a pod's attachment together.
    package var timeout = 90
    /// Key `ready_timeout`: how long a pod waits for a configuration and its plugins; 0 for not at all.
    package var readyTimeout = Duration.seconds(10)
    /// Key `status_grace_period`: how long a network that has worked may fail its STATUS before the node is not ready.
    package var statusGrace = Duration.zero
    /// Key `host_ports`: who maps them where no plugin of the network does: `portmap` (the plugin is added) or `network`.
    package var hostPorts = "portmap"
  }
}

extension Configuration.CNI {
  mutating func apply(_ table: inout TableReader) throws(SettingsError) {
    try table.set(&binaryDirectories, "bin_dirs", check: Check.absoluteList)
    try table.set(&configurationDirectory, "conf_dir", check: Check.absolute)
    try table.set(&maximumNetworks, "max_conf_num", check: Check.range(0...64))
    try table.set(&attachesSerially, "setup_serially")
    try table.set(&checksAttached, "check_after_setup")
    try table.set(&defaultNetwork, "default_network")
    try table.set(&addressPreference, "ip_pref") { ["ipv4", "ipv6", "cni"].contains($0) ? nil : "must be ipv4, ipv6 or cni" }
    try table.set(&template, "conf_template", check: Check.absolute)
    try table.set(&timeout, "timeout", check: Check.range(1...220))
    try table.set(&readyTimeout, "ready_timeout", check: Check.duration(.zero ... .seconds(120)))
    try table.set(&statusGrace, "status_grace_period", check: Check.duration(.zero ... .seconds(3600)))
    try table.set(&hostPorts, "host_ports") { ["portmap", "network"].contains($0) ? nil : "must be portmap or network" }
  }
}
