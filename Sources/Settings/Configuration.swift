/// What berthd runs with: the defaults, changed by `/etc/berth/config.toml` and its drop-ins, then by the command line.
/// Property paths are the keys of the file (`grpc.address` is `address` in `[grpc]`); sizes are bytes, paths absolute.
package struct Configuration: Equatable, Sendable {
  package enum LogLevel: String, CaseIterable, Sendable {
    case trace, debug, info, notice, warning, error, critical
  }

  /// `[grpc]`: the socket of the CRI.
  package struct GRPC: Equatable, Sendable {
    /// Path of the Unix socket.
    package var address = "/run/berth/berth.sock"
    /// Key `max_recv_message_size`: the largest message taken from a client.
    package var maximumReceiveSize = 16 << 20
    /// Key `max_send_message_size`: the largest message sent to a client.
    package var maximumSendSize = 16 << 20
  }

  /// `[cgroups]`
  package struct Cgroups: Equatable, Sendable {
    /// Key `driver`: `cgroupfs` or `systemd`, the kubelet's own.
    package var driver = "cgroupfs"
  }

  /// `[cdi]`
  package struct CDI: Equatable, Sendable {
    /// Key `spec_dirs`: where specs of the Container Device Interface are, lowest priority first.
    package var directories = ["/etc/cdi", "/var/run/cdi"]
  }

  /// What must survive a reboot.
  package var root = "/var/lib/berth"
  /// What a reboot makes worthless; on tmpfs.
  package var state = "/run/berth"
  package var logLevel = LogLevel.info
  package var grpc = GRPC()
  package var streaming = Streaming()
  package var metrics = MetricsEndpoint()
  package var stats = Stats()
  package var events = Events()
  package var tracing = Tracing()
  package var registry = Registry()
  package var cni = CNI()
  package var runtimes = Runtimes()
  package var snapshots = Snapshots()
  package var cgroups = Cgroups()
  package var pods = Pods()
  package var cdi = CDI()
  package var containers = Containers()
  package var images = Images()
  /// The tables `[workloads.NAME]`.
  package var workloads: [String: Workload] = [:]
  package var shim = Shim()

  package init() {}
}
