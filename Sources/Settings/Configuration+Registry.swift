extension Configuration {
  /// `[registry]`
  package struct Registry: Equatable, Sendable {
    /// Key `config_path`: directories with a `<host>/hosts.toml` each, searched in order; one or several joined by colons.
    package var configPath = ["/etc/berth/certs.d", "/etc/containerd/certs.d"]
    /// Key `stall_timeout`: a connection that brings next to nothing for so long is given up, and its blob resumed on another.
    package var stallTimeout = Duration.seconds(30)
    /// Key `progress_timeout`: a pull that brings nothing at all for so long ends; 0 for never.
    package var progressTimeout = Duration.seconds(300)
    /// Key `max_downloads_per_host`: blobs fetched from one host at a time, over all pulls; 0 for any number.
    package var downloadsPerHost = 8
    /// Key `auth_file`: a docker `config.json` with the node's own credentials, used where neither a request nor a `hosts.toml` has some.
    package var authFile: String?
    /// Key `credential_helper_timeout`: how long a credential helper may take.
    package var helperTimeout = Duration.seconds(30)
  }
}

extension Configuration.Registry {
  mutating func apply(_ table: inout TableReader) throws(SettingsError) {
    try table.set(&stallTimeout, "stall_timeout", check: Check.duration(.milliseconds(100) ... .seconds(3600)))
    try table.set(&progressTimeout, "progress_timeout", check: Check.duration(.zero ... .seconds(86400)))
    try table.set(&downloadsPerHost, "max_downloads_per_host", check: Check.range(0...1024))
    try table.set(&authFile, "auth_file", check: Check.absolute)
    try table.set(&helperTimeout, "credential_helper_timeout", check: Check.duration(.milliseconds(100) ... .seconds(600)))
    guard let joined: String = try table.take("config_path", check: Check.absolutes) else { return }
    configPath = Check.parts(joined)
  }
}
