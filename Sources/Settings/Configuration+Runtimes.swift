import OCI

extension Configuration {
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
    /// `nil`: a program of the handler's name, or of that of its shim, looked for in ``Executables/searchPath``.
    package var path: String?
    /// Key `runtime_type`.
    package var kind = RuntimeKind.oci
    /// Key `runtime_config_path`: the configuration file of another's shim.
    package var shimConfig: String?
    /// Key `runtime_options_type`: the type of the options that another's shim is given, where it knows others than containerd's usual ones.
    package var shimOptionsType: String?
    /// Key `io_type`.
    package var streamType = StreamType.fifo
    /// Key `runtime_pull_image`: the guests of another's shim pull images by themselves.
    package var guestsPull = false
    /// Key `infra_container`: pods have a container that stands for them. Those of another's shim always have.
    package var hasInfraContainer = false
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

    /// Key `is_vm`: its containers are virtual machines, which SELinux's policy tells from others; `nil` where ``kind`` says it.
    package var machine: Bool?
    package var isMachine: Bool { machine ?? kind.isMachine }
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
    /// Key `writable_layer_size`, bytes: as that of `[snapshots]`, for this handler's pods; 0 for no limit, `nil` for that one.
    package var writableSize: Int?

    package init(path: String? = nil) { self.path = path }
  }
}

extension Configuration.Runtimes {
  mutating func apply(_ table: inout TableReader) throws(SettingsError) {
    try table.set(&standard, "default")
    try table.set(&maximumLogLine, "max_container_log_line_size", check: Check.range(1024...131_072))
    try table.eachTable { (name, table) throws(SettingsError) in
      try handlers[name, default: .init()].apply(&table)
    }
  }
}

extension Configuration.Runtime {
  mutating func apply(_ table: inout TableReader) throws(SettingsError) {
    try table.set(&path, "path", check: Check.absolute)
    try table.set(&snapshotter, "snapshotter") { ["overlay", "native"].contains($0) ? nil : "must be overlay or native" }
    if let size = try table.takeSize("writable_layer_size", Configuration.Snapshots.sizes) { writableSize = size }
    try table.set(&inheritsProgram, "inherit_default_runtime")
    try table.set(&stateRoot, "runtime_root", check: Check.absolute)
    try table.set(&podAnnotations, "pod_annotations")
    try table.set(&containerAnnotations, "container_annotations")
    try table.set(&allowedAnnotations, "allowed_annotations")
    try table.within("platform_runtime_paths") { (table) throws(SettingsError) in
      for platform in table.rest {
        if Platform(platform) == nil { throw table.error(platform, "is no platform, which is like \"linux/arm64\"") }
        platformPrograms[platform] = try table.take(platform, check: Check.absolute)
      }
    }
    try table.within("default_annotations") { (table) throws(SettingsError) in
      for name in table.rest { defaultAnnotations[name] = try table.take(name) }
    }
    try table.set(&monitorEnvironment, "monitor_env", check: Check.environment)
    try table.set(&baseSpec, "base_runtime_spec", check: Check.absolute)
    try table.set(&networkDirectory, "cni_conf_dir", check: Check.absolute)
    try table.set(&maximumNetworks, "cni_max_conf_num", check: Check.range(0...64))
    try table.set(&hidesHostDevices, "privileged_without_host_devices")
    try table.set(&allowsAllDevices, "privileged_without_host_devices_all_devices_allowed")
    try table.set(&writableCgroups, "cgroup_writable")
    try table.set(&machine, "is_vm")
    try table.set(&execAffinity, "exec_cpu_affinity") { ["", "first"].contains($0) ? nil : "must be empty or first" }
    try table.set(&seccompProfile, "seccomp_profile", check: Check.absolute)
    try table.set(&createTimeout, "container_create_timeout", check: Check.duration(.zero ... .seconds(86400)))
    try table.set(&avoidsPivot, "no_pivot_root")
    try table.set(&sharesKeyring, "no_new_keyring")
    try table.set(&minimumMemory, "container_min_memory", check: Check.range(0...(1 << 40)))
    if inheritsProgram, path != nil { throw table.error("inherit_default_runtime", "and path cannot both be given") }
    try applyKind(&table)
  }
}
