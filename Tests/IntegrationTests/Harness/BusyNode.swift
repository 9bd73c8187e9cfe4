/// Settings under which berthd does all that an operator can want of every pod and container, for requests of any content.
enum BusyNode {
  static let settings = """
    [pods]
    shm_size = 1048576
    host_network_own_uts = true
    shared_cpuset = "0"
    [pods.sysctls]
    "net.ipv4.tcp_keepalive_time" = "600"
    [containers]
    device_ownership_from_security_context = true
    default_ulimits = ["nofile=64:128"]
    default_env = ["OWN=1"]
    add_inheritable_capabilities = true
    unset_seccomp_profile = "runtime/default"
    pids_limit = 100
    read_only = true
    add_passwd_entries = true
    min_injected_gomaxprocs = 2
    timezone = "Local"
    [runtimes.runc]
    allowed_annotations = [
      "shm-size.crio.io", "umask.crio.io", "unified-cgroup.crio.io", "devices.crio.io", "cgroup2-mount-hierarchy-rw.crio.io",
      "try-skip-volume-selinux-label.crio.io", "cpu-load-balancing.crio.io", "cpu-quota.crio.io", "cpu-shared.crio.io"
    ]
    [workloads.every]
    activation_annotation = "kubernetes.io/ingress-bandwidth"
    annotation_prefix = "own"
    [workloads.every.resources]
    cpuset = "0"
    """

  /// Of every other seed.
  static func settings(_ seed: UInt64) -> String { seed % 2 == 0 ? settings : "" }
}
