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

  /// `[streaming]`: the HTTP server of Exec, Attach and PortForward.
  package struct Streaming: Equatable, Sendable {
    package enum TLSVersion: String, CaseIterable, Sendable {
      case v12 = "1.2"
      case v13 = "1.3"
    }

    /// A literal address; who listens on all is reached on the loopback.
    package var address = "127.0.0.1"
    /// 0 for any.
    package var port = 0
    /// Key `idle_timeout`: a session on which nothing goes either way ends after this.
    package var idleTimeout = Duration.seconds(4 * 3600)
    /// Keys `tls_cert` and `tls_key`: paths of PEM files; without both it is plain HTTP.
    package var tlsCertificate: String?
    package var tlsKey: String?
    /// Key `tls_client_ca`: where set, clients need a certificate of these authorities.
    package var tlsClientCA: String?
    /// Key `tls_min_version`
    package var tlsMinimumVersion = TLSVersion.v12
  }

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

  /// `[runtimes]`: OCI runtimes by handler name.
  package struct Runtimes: Equatable, Sendable {
    /// Key `default`: the handler of pods that name none.
    package var standard = "runc"
    /// The tables `[runtimes.NAME]`; runc is always there.
    package var handlers: [String: Runtime] = ["runc": Runtime()]
    /// Key `max_container_log_line_size`: bytes of a line in one record of a container's log; longer lines come in pieces.
    package var maximumLogLine = 16 << 10
  }

  /// `[runtimes.NAME]`
  package struct Runtime: Equatable, Sendable {
    /// `nil`: a program of the handler's name, looked for in ``Executables/searchPath``.
    package var path: String?
    /// Key `pod_annotations`: patterns of the pod's annotations that the runtime gets to see.
    package var podAnnotations: [String] = []
    /// Key `container_annotations`: the same of a container's.
    package var containerAnnotations: [String] = []
    /// Key `allowed_annotations`: those of pods that change what the CRI has no field for.
    package var allowedAnnotations: [String] = []
    /// Table `platform_runtime_paths`: programs for images of other platforms, by `os/architecture[/variant]`.
    package var platformPrograms: [String: String] = [:]
    /// Table `default_annotations`: what the runtime is told where neither pod nor container says it.
    package var defaultAnnotations: [String: String] = [:]
    /// Key `monitor_env`: environment of shims of this handler's pods, and with it of the runtime, `NAME=value`.
    package var monitorEnvironment: [String] = []
    /// Key `inherit_default_runtime`: the default handler's program, with settings of its own.
    package var inheritsProgram = false
    /// Key `runtime_root`: where the runtime keeps its state; `nil` is a directory of berthd's own.
    package var stateRoot: String?
    /// Key `base_runtime_spec`: a file with the runtime spec that containers' specs are made over.
    package var baseSpec: String?
    /// Key `cni_conf_dir`: network configurations of this handler's pods; `nil` for those of `[cni]`.
    package var networkDirectory: String?
    /// Key `cni_max_conf_num`: as `[cni] max_conf_num`, for this handler's pods.
    package var maximumNetworks: Int?
    /// Key `privileged_without_host_devices`: privileged containers do not get the host's devices.
    package var hidesHostDevices = false
    /// Key `privileged_without_host_devices_all_devices_allowed`: … but may use any that they make or are given.
    package var allowsAllDevices = false
    /// Key `cgroup_writable`: on cgroup v2 containers may write below their own cgroup.
    package var writableCgroups = false
    /// Key `container_min_memory`, bytes: a lower limit of a container is refused.
    package var minimumMemory = 0

    /// Key `is_vm`: its containers are virtual machines, which SELinux's policy tells from others.
    package var isMachine = false
    /// Key `exec_cpu_affinity`: `first`: what an exec starts keeps to the first processor of those that the container is bound to; empty for any.
    package var execAffinity = ""
    /// Key `seccomp_profile`: a file with what RuntimeDefault means in this handler's pods.
    package var seccompProfile: String?
    /// Key `container_create_timeout`: a runtime that takes longer for a container's creation is killed; 0 for no limit.
    package var createTimeout = Duration.seconds(240)
    /// Keys `no_pivot_root` and `no_new_keyring`: options of the runtime's create.
    package var avoidsPivot = false
    package var sharesKeyring = false
    /// Key `snapshotter`: `overlay` or `native`; `nil` for that of `[snapshots]`.
    package var snapshotter: String?

    package init(path: String? = nil) { self.path = path }
  }

  /// `[snapshots]`: containers' own filesystems.
  package struct Snapshots: Equatable, Sendable {
    /// Key `snapshotter`: `overlay`, `native` (whole copies), or `auto`: overlay where it can be used.
    package var snapshotter = "auto"
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
    /// Key `add_passwd_entries`: a container's user that the image does not know gets an entry in its /etc/passwd.
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

  /// `[images]`
  package struct Images: Equatable, Sendable {
    /// Key `max_parallel_downloads`: layers that one pull fetches at a time.
    package var maximumParallelDownloads = 4
    /// Key `keep_layer_blobs`: compressed layers stay beside the unpacked ones.
    package var keepLayerBlobs = false
    /// Key `pinned`: images that the kubelet is to keep, by name; `*` stands for any text.
    package var pinned: [String] = []
    package var limits = Limits()
    /// Key `verifier_dir`: programs that are asked about every image (containerd's image verifiers); empty for none.
    package var verifierDirectory = "/opt/containerd/image-verifier/bin"
    /// Key `verifier_timeout`: how long each of them may take.
    package var verifierTimeout = Duration.seconds(10)
    /// Key `verifier_recheck`: when they are asked again before a container is made: `never`, `changed`, `always`, or after a duration.
    package var verifierRecheck = "changed"

    /// `[images.limits]`: what a layer may ask of the node at most.
    package struct Limits: Equatable, Sendable {
      /// Key `max_entries`: files, directories and links of one layer.
      package var entries = 1_000_000
      /// Key `max_layer_size`: bytes of one layer, unpacked.
      package var layerSize = 1 << 40
      /// Key `max_file_size`: bytes of one file, holes included.
      package var fileSize = 1 << 40
      /// Key `max_expansion`: how many times its packed size a layer may have, once it is larger than 256 MiB.
      package var expansion = 2000
      /// Key `max_depth`: directories above each other.
      package var depth = 256
      /// Key `max_path_length`: bytes of a path; Linux takes no more than 4095.
      package var pathLength = 4095
      /// Key `max_name_length`: bytes of one name in it; Linux's filesystems take no more than 255.
      package var nameLength = 255
      /// Key `max_xattrs`: extended attributes of one entry.
      package var attributes = 100
      /// Key `max_xattr_size`: bytes of one of them; Linux takes no more than 65536.
      package var attributeSize = 64 << 10
    }
  }

  /// `[shim]`
  package struct Shim: Equatable, Sendable {
    /// `nil`: `berth-shim` beside berthd, then in /usr/libexec/berth, then in ``Executables/searchPath``.
    package var path: String?
    /// Key `cgroup`: of all pods' shims, below which each has its own; `nil` for one below the pod's.
    package var cgroup: String?
    /// Key `cpuset`: the processors of shims and of what holds pods' namespaces, `0-1`; `nil` for any.
    package var processors: String?
    /// Key `cpu_shares`: their weight beside containers; 0 for the kernel's own.
    package var shares = 0
    /// Key `oom_score_adj`: of shims.
    package var oomScore = -998
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
