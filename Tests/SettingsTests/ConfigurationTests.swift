import Linux
import Settings
import Support
import Testing

@Suite struct ConfigurationTests {
  /// Loads `files` (`config.toml`, `config.d/…`) from a directory of their own; `/DIR/` in an error stands for it.
  private func load(_ files: [String: String], mustExist: Bool = false) throws -> Configuration {
    try withScratch { scratch in
      try Files.makeDirectories("\(scratch)/config.d")
      for (name, text) in files { try Files.write(text, to: "\(scratch)/\(name)") }
      do throws(SettingsError) { return try Configuration.load("\(scratch)/config.toml", mustExist: mustExist) } catch {
        throw SettingsError(String(error.file.dropFirst(scratch.count + 1)), line: error.line, error.reason)
      }
    }
  }

  /// Three levels up from this file.
  private static let repository = Files.parent(of: Files.parent(of: Files.parent(of: #filePath)))

  private func complaint(_ text: String) -> String {
    do {
      _ = try load(["config.toml": text])
      return "none"
    } catch { return "\(error)" }
  }

  @Test func theExampleFileSaysTheDefaults() throws {
    let example = try Configuration.load(Self.repository + "/packaging/config.toml", mustExist: true)
    #expect(example == Configuration())
  }

  @Test func withoutAnyFileEverythingIsDefault() throws {
    #expect(try load([:]) == Configuration())
    #expect(try Configuration.load("/nonexistent/config.toml") == Configuration())
  }

  @Test func everyKeyCanBeSet() throws {
    var expected = Configuration()
    expected.root = "/a"
    expected.state = "/b"
    expected.logLevel = .debug
    expected.grpc.address = "/c.sock"
    expected.grpc.maximumReceiveSize = 5000
    expected.grpc.maximumSendSize = 6000
    expected.streaming.address = "::1"
    expected.streaming.port = 1234
    expected.streaming.idleTimeout = .seconds(90)
    expected.streaming.tlsCertificate = "/j"
    expected.streaming.tlsKey = "/k"
    expected.streaming.tlsClientCA = "/l"
    expected.streaming.tlsMinimumVersion = .v13
    expected.registry.configPath = ["/d", "/e"]
    (expected.snapshots.snapshotter, expected.snapshots.writableSize, expected.snapshots.limitMethod) = ("overlay", 3 << 29, "block")
    expected.images.verifierRecheck = "90m"
    expected.registry.authFile = "/x.json"
    expected.tracing.endpoint = "https://c:1"
    expected.tracing.wire = "http/protobuf"
    expected.tracing.samplesPerMillion = 17
    expected.tracing.timeout = .seconds(3)
    expected.tracing.compression = "gzip"
    expected.tracing.tlsAuthorities = "/a"
    expected.tracing.tlsCertificate = "/c"
    expected.tracing.tlsKey = "/k"
    expected.tracing.headers = ["X-Scope": "one"]
    expected.metrics.address = "[::1]:9"
    expected.metrics.socket = "/ms"
    expected.metrics.tlsCertificate = "/c"
    expected.metrics.tlsKey = "/k"
    expected.metrics.tlsClientCA = "/a"
    expected.registry.helperTimeout = .seconds(5)
    expected.registry.progressTimeout = .zero
    expected.registry.downloadsPerHost = 3
    expected.cni.binaryDirectories = ["/f"]
    expected.cni.configurationDirectory = "/g"
    expected.images.maximumParallelDownloads = 9
    expected.runtimes.maximumLogLine = 4096
    expected.runtimes.standard = "crun"
    expected.runtimes.handlers["crun"] = .init(path: "/h")
    var special = Configuration.Runtime()
    (special.inheritsProgram, special.stateRoot, special.baseSpec) = (true, "/m", "/n")
    special.monitorEnvironment = ["M=n"]
    (special.networkDirectory, special.maximumNetworks) = ("/o", 0)
    (special.hidesHostDevices, special.allowsAllDevices, special.writableCgroups, special.minimumMemory) = (true, true, true, 4096)
    special.platformPrograms = ["linux/arm64": "/q"]
    (special.podAnnotations, special.containerAnnotations, special.defaultAnnotations) = (["p"], ["q"], ["a.b/c": "d"])
    (special.seccompProfile, special.createTimeout, special.avoidsPivot, special.sharesKeyring) = ("/r", .seconds(9), true, true)
    special.allowedAnnotations = ["x.crio.io"]
    (special.machine, special.execAffinity) = (true, "first")
    (special.snapshotter, special.writableSize) = ("native", 0)
    expected.runtimes.handlers["special"] = special
    var guest = Configuration.Runtime()
    (guest.kind, guest.shimConfig, guest.shimOptionsType, guest.hasInfraContainer) = (
      .named("io.containerd.kata.v2"), "/ac", "kata.Options", true
    )
    (guest.guestsPull, guest.streamType) = (true, .streaming)
    expected.runtimes.handlers["guest"] = guest
    expected.pods.sysctls = ["net.core.somaxconn": "9"]
    expected.cni.defaultNetwork = "cluster"
    expected.cni.attachesSerially = true
    expected.cni.checksAttached = true
    expected.containers.ulimits = ["nofile=1:2"]
    expected.containers.environment = ["A=b"]
    expected.containers.capabilities = ["KILL"]
    expected.containers.inheritsCapabilities = true
    (expected.containers.seccompProfile, expected.containers.privilegedSeccompProfile) = ("/s", "/t")
    expected.containers.unsetSeccomp = "localhost//u"
    expected.containers.appArmorProfile = "v"
    expected.containers.pidsLimit = 7
    expected.containers.devices = ["/dev/w"]
    (expected.containers.isReadonly, expected.containers.ignoresImageVolumes) = (true, true)
    expected.containers.addsUsers = true
    expected.containers.timezone = "Europe/Paris"
    expected.containers.rejectedSources = ["/x"]
    expected.stats.metrics = ["cpu", "diskIO"]
    (expected.stats.cpuPeriod, expected.stats.diskPeriod) = (.zero, .seconds(60))
    (expected.metrics.collectors, expected.metrics.containers) = (["pods", "oom"], true)
    expected.events.queueLength = 50
    expected.events.retention = .seconds(90)
    expected.containers.bindMountPrefix = "/host"
    expected.containers.fips = "enabled"
    expected.containers.allowedDevices = ["/dev/x"]
    expected.containers.hookDirectories = ["/y"]
    expected.containers.defaultMountsFile = "/z"
    expected.shim.path = "/i"
    (expected.cni.readyTimeout, expected.cni.statusGrace, expected.cni.hostPorts) = (.seconds(3), .seconds(4), "network")
    (expected.pods.shmSize, expected.pods.hostNetworkOwnsUTS) = (8192, true)
    expected.pods.netnsDirectory = "/ns"
    (expected.pods.sharedProcessors, expected.pods.irqbalance) = ("6-7", "/irq")
    (expected.pods.minimumUser, expected.pods.minimumGroup) = (100_000, 200_000)
    (expected.pods.userMappings, expected.pods.groupMappings) = ("0:1:2", "0:3:4")
    (expected.pods.subordinateOwner, expected.pods.subordinateUsers, expected.pods.subordinateGroups) = ("me", "/su", "/sg")
    expected.containers.hostNetworkHasNoLabels = true
    (expected.containers.ignoresAppArmor, expected.containers.selinuxCategories) = (true, 64)
    (expected.containers.linksMountTable, expected.containers.marksContainers) = (false, false)
    (expected.shim.cgroup, expected.shim.processors, expected.shim.shares, expected.shim.oomScore) = ("/j/k", "0-1,4", 2, -500)
    expected.containers.goProcesses = 4
    var workload = Configuration.Workload()
    (workload.activation, workload.prefix, workload.allowedAnnotations) = ("a/b", "c.d", ["y.crio.io"])
    (workload.shares, workload.quota, workload.period, workload.limit, workload.processors) = (1, 2, 3, 4, "5")
    expected.workloads = ["w": workload]
    let text = """
      root = "/a"
      state = '/b'
      log_level = "debug"
      grpc = { address = "/c.sock", max_recv_message_size = 5_000, max_send_message_size = 0x1770 }
      registry.config_path = "/d:/e"
      stats = { included_pod_metrics = ["cpu", "diskIO"], cpu_period = "0", disk_period = "1m" }
      events.queue_length = 50
      events.retention = "90s"
      registry.auth_file = "/x.json"
      metrics = { address = "[::1]:9", socket = "/ms", tls_cert = "/c", tls_key = "/k", tls_client_ca = "/a", collectors = ["pods", "oom"], containers = true }
      registry.credential_helper_timeout = "5s"
      registry.progress_timeout = "0"
      registry.max_downloads_per_host = 3
      streaming = { address = "::1", port = 1234, idle_timeout = "1m30s", tls_cert = "/j", tls_key = "/k", tls_client_ca = "/l", tls_min_version = "1.3" }
      cni.bin_dirs = [
        "/f", # only this
      ]
      cni.default_network = "cluster"
      cni.setup_serially = true
      cni.check_after_setup = true
      cni.ready_timeout = "3s"
      cni.status_grace_period = "4s"
      cni.host_ports = "network"
      pods.shm_size = 8192
      pods.shared_cpuset = "6-7"
      pods.irqbalance_config_file = "/irq"
      pods.netns_directory = "/ns"
      pods.host_network_own_uts = true
      pods.minimum_mappable_uid = 100000
      pods.minimum_mappable_gid = 200000
      pods.uid_mappings = "0:1:2"
      pods.gid_mappings = "0:3:4"
      pods.userns_auto_user = "me"
      pods.subuid_file = "/su"
      pods.subgid_file = "/sg"
      pods.sysctls."net.core.somaxconn" = "9"
      cni.conf_dir = \"""/g\"""

      [images]
      verifier_recheck = "90m"
      max_parallel_downloads = 9
      [containers]
      default_ulimits = ["nofile=1:2"]
      default_env = ["A=b"]
      default_capabilities = ["KILL"]
      add_inheritable_capabilities = true
      seccomp_profile = "/s"
      privileged_seccomp_profile = "/t"
      unset_seccomp_profile = "localhost//u"
      apparmor_profile = "v"
      pids_limit = 7
      additional_devices = ["/dev/w"]
      read_only = true
      ignore_image_defined_volumes = true
      hostnetwork_disable_selinux = true
      disable_apparmor = true
      selinux_category_range = 64
      add_mtab = false
      min_injected_gomaxprocs = 4
      add_containerenv = false
      add_passwd_entries = true
      timezone = "Europe/Paris"
      absent_mount_sources_to_reject = ["/x"]
      bind_mount_prefix = "/host"
      fips = "enabled"
      allowed_devices = ["/dev/x"]
      hooks_dir = ["/y"]
      default_mounts_file = "/z"
      [snapshots]
      snapshotter = "overlay"
      writable_layer_size = "1.5GiB"
      writable_layer_backend = "block"
      [runtimes]
      "default" = "crun"
      max_container_log_line_size = 4096
      [runtimes.'crun']
      path = "/h"
      [runtimes.special]
      inherit_default_runtime = true
      runtime_root = "/m"
      monitor_env = ["M=n"]
      base_runtime_spec = "/n"
      cni_conf_dir = "/o"
      cni_max_conf_num = 0
      privileged_without_host_devices = true
      privileged_without_host_devices_all_devices_allowed = true
      cgroup_writable = true
      container_min_memory = 4096
      seccomp_profile = "/r"
      container_create_timeout = "9s"
      no_pivot_root = true
      no_new_keyring = true
      pod_annotations = ["p"]
      container_annotations = ["q"]
      default_annotations = { "a.b/c" = "d" }
      platform_runtime_paths = { "linux/arm64" = "/q" }
      allowed_annotations = ["x.crio.io"]
      is_vm = true
      snapshotter = "native"
      writable_layer_size = "0"
      exec_cpu_affinity = "first"
      [runtimes.guest]
      runtime_type = "io.containerd.kata.v2"
      runtime_config_path = "/ac"
      runtime_options_type = "kata.Options"
      runtime_pull_image = true
      io_type = "streaming"
      infra_container = true
      [workloads.w]
      activation_annotation = "a/b"
      annotation_prefix = "c.d"
      allowed_annotations = ["y.crio.io"]
      resources = { cpushares = 1, cpuquota = 2, cpuperiod = 3, cpulimit = 4, cpuset = "5" }
      [tracing]
      compression = "gzip"
      endpoint = "https://c:1"
      protocol = "http/protobuf"
      sampling_rate_per_million = 17
      timeout = "3s"
      tls_ca = "/a"
      tls_cert = "/c"
      tls_key = "/k"
      headers = { X-Scope = "one" }
      [shim]
      path = "/i"
      cgroup = "/j/k"
      cpuset = "0-1,4"
      cpu_shares = 2
      oom_score_adj = -500
      """
    #expect(try load(["config.toml": text]) == expected)
  }

  @Test func dropInsOverrideKeyByKeyInTheOrderOfTheirNames() throws {
    let configuration = try load([
      "config.toml": "root = \"/a\"\nstate = \"/b\"\n[grpc]\naddress = \"/c\"\nmax_recv_message_size = 4096",
      "config.d/20.toml": "root = \"/z\"", "config.d/10.toml": "root = \"/y\"\n[grpc]\naddress = \"/x\"",
      "config.d/30.toml.bak": "not even toml", "config.d/.40.toml": "neither",
    ])
    #expect(configuration.root == "/z")
    #expect(configuration.state == "/b")
    #expect(configuration.grpc.address == "/x")
    #expect(configuration.grpc.maximumReceiveSize == 4096)
  }

  @Test func aDropInAloneIsEnough() throws {
    #expect(try load(["config.d/a.toml": "root = \"/a\""]).root == "/a")
  }

  @Test func aRuntimeMayBeDescribedInALaterFile() throws {
    let configuration = try load(["config.toml": "[runtimes]\ndefault = \"kata\"", "config.d/kata.toml": "[runtimes.kata]\npath = \"/k\""])
    #expect(configuration.runtimes.standard == "kata")
  }

  @Test(arguments: ["streaming", "metrics"]) func aCertificateAndItsKeyMayBeInTwoFilesButNotAlone(table: String) throws {
    let both = try load(["config.d/1.toml": "[\(table)]\ntls_cert = \"/c\"", "config.d/2.toml": "[\(table)]\ntls_key = \"/k\""])
    #expect((table == "metrics" ? both.metrics.tlsKey : both.streaming.tlsKey) == "/k")
    #expect(complaint("[\(table)]\ntls_cert = \"/c\"") == "config.toml:2: \"\(table).tls_cert\" needs \"\(table).tls_key\", too")
    #expect(complaint("[\(table)]\ntls_key = \"/k\"") == "config.toml:2: \"\(table).tls_key\" needs \"\(table).tls_cert\", too")
    #expect(complaint("[\(table)]\ntls_client_ca = \"/a\"") == "config.toml:2: \"\(table).tls_client_ca\" needs \"\(table).tls_cert\", too")
  }

  @Test func anUnknownKeyIsRefusedWithFileLineAndTheNearestKey() {
    #expect(complaint("\n\nrot = \"/a\"") == "config.toml:3: unknown key \"rot\"; did you mean \"root\"?")
    #expect(
      complaint("root = \"/a\"\n[grpc]\n# here\nadress = \"/x\"")
        == "config.toml:4: unknown key \"adress\" in [grpc]; did you mean \"address\"?")
    #expect(complaint("[gprc]\naddress = \"/x\"") == "config.toml:1: unknown key \"gprc\"; did you mean \"grpc\"?")
    #expect(
      complaint("grpc = {\"max_recv_mesage_size\" = 1}")
        == "config.toml:1: unknown key \"max_recv_mesage_size\" in [grpc]; did you mean \"max_recv_message_size\"?")
    #expect(complaint("text = \"\"\"\n[a]\nb=1\n\"\"\"\ncompletely_different = 1") == "config.toml:1: unknown key \"text\"")
    #expect(complaint("[runtimes.kata]\npaht = \"/x\"") == "config.toml:2: unknown key \"paht\" in [runtimes.kata]; did you mean \"path\"?")
  }

  @Test func aWrongTypeIsRefusedWithWhatWasExpectedAndFound() {
    #expect(complaint("root = 5") == "config.toml:1: \"root\" must be a string, found the number 5")
    #expect(complaint("\ncni.bin_dirs = \"/a\"") == "config.toml:2: \"cni.bin_dirs\" must be an array of strings, found the string \"/a\"")
    #expect(complaint("cni.bin_dirs = [\"/a\", 1]") == "config.toml:1: \"cni.bin_dirs\" must be an array of strings, found an array")
    #expect(complaint("grpc = true") == "config.toml:1: \"grpc\" must be a table, found true")
    #expect(complaint("[[grpc]]") == "config.toml:1: \"grpc\" must be a table, found an array")
    #expect(complaint("[root]") == "config.toml:1: \"root\" must be a string, found a table")
    #expect(
      complaint("runtimes.kata = \"/usr/bin/kata\"")
        == "config.toml:1: \"runtimes.kata\" must be a table, found the string \"/usr/bin/kata\"")
    #expect(complaint("images.max_parallel_downloads = 1.5").contains("must be a whole number, found a floating-point number"))
    #expect(
      complaint("log_level = \"loud\"")
        == "config.toml:1: \"log_level\" must be one of \"trace\", \"debug\", \"info\", \"notice\", \"warning\", \"error\", \"critical\", "
        + "found the string \"loud\"")
  }

  @Test func valuesOutOfBoundsAreRefused() {
    #expect(complaint("root = \"var\"") == "config.toml:1: \"root\" must be an absolute path, found \"var\"")
    #expect(
      complaint("[registry]\nconfig_path = \"/a:b\"") == "config.toml:2: \"registry.config_path\" must be an absolute path, found \"b\"")
    #expect(complaint("images.max_parallel_downloads = 0").hasSuffix("must be between 1 and 64, found 0"))
    #expect(complaint("containers.default_ulimits = [\"nofile=2:1\"]").hasSuffix("must be like \"nofile=1024:4096\", found \"nofile=2:1\""))
    #expect(complaint("containers.default_env = [\"A\"]").hasSuffix("must be NAME=value, found \"A\""))
    #expect(complaint("containers.unset_seccomp_profile = \"x\"").contains("must be unconfined, runtime/default"))
    #expect(complaint("containers.timezone = \"../x\"").contains("must be a zone's name"))
    #expect(complaint("stats.included_pod_metrics = [\"all\", \"cpu\"]").contains("\"all\" alone"))
    #expect(complaint("stats.included_pod_metrics = [\"gpu\"]").contains("\"gpu\", which is no group"))
    #expect(complaint("stats.cpu_period = \"500ms\"").contains("must be between 1.0 seconds and 600.0 seconds"))
    #expect(complaint("stats.disk_period = \"0\"").contains("must be between 1.0 seconds and 3600.0 seconds"))
    #expect(complaint("metrics.collectors = [\"gpu\"]").contains("\"gpu\", which is no group of metrics (calls, pods, network,"))
    #expect(complaint("metrics.collectors = [\"pods\", \"all\"]").contains("\"all\" alone"))
    #expect(complaint("events.queue_length = 15").contains("between 16 and"))
    #expect(complaint("containers.selinux_category_range = 1").hasSuffix("must be between 2 and 1024, found 1"))
    #expect(complaint("containers.fips = \"yes\"").hasSuffix("must be auto, enabled or disabled, found \"yes\""))
    #expect(complaint("runtimes.runc.platform_runtime_paths = { arm64 = \"/q\" }").contains("arm64\" is no platform"))
    #expect(complaint("grpc.max_recv_message_size = -1").hasSuffix("found -1"))
    #expect(
      complaint("grpc.address = \"/\(String(repeating: "x", count: 107))\"").hasSuffix("is 108 bytes, a socket's path has at most 107"))
    #expect(
      complaint("[runtimes]\ndefault = \"kata\"\n[runtimes.gvisor]")
        == "config.toml:2: \"runtimes.default\" names \"kata\", but there is no [runtimes.kata] (known: gvisor, runc)")
  }

  @Test func whatIsNotTOMLIsRefusedWithItsLine() {
    #expect(complaint("root = \"/a\"\nstate = ").hasPrefix("config.toml:2: not TOML: "))
    #expect(complaint("root = \"/a\"\nroot = \"/b\"").hasPrefix("config.toml:2: not TOML: "))
    #expect(complaint("a = [1,\n2").contains("not TOML"))
    #expect(complaint("\nroot = \"/a\0\"") == "config.toml:2: a NUL character")
    #expect(
      complaint(String(repeating: "#", count: (1 << 20) + 1)).contains("at most 1048576")
        || complaint(String(repeating: "#", count: (1 << 20) + 1)).contains("too large"))
  }

  @Test func textThatIsNotUTF8IsRefused() throws {
    try withScratch { scratch in
      try Files.write([0x61, 0xff, 0xfe], to: "\(scratch)/config.toml")
      #expect(throws: SettingsError("\(scratch)/config.toml", "not UTF-8 text")) { try Configuration.load("\(scratch)/config.toml") }
    }
  }

  @Test func aDirectoryInPlaceOfTheFileIsRefused() throws {
    try withScratch { scratch in
      try Files.makeDirectories("\(scratch)/config.toml")
      #expect(throws: SettingsError.self) { try Configuration.load("\(scratch)/config.toml") }
    }
  }

  @Test func aFileThatWasAskedForMustExist() {
    #expect(throws: SettingsError("config.toml", "no such file")) { try load([:], mustExist: true) }
  }
}
