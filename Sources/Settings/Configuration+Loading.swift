import Linux
import OCI

extension Configuration {
  package static let standardPath = "/etc/berth/config.toml"

  /// Reads `path`, then every `config.d/*.toml` beside it in the order of their names; later files override earlier ones key by key.
  /// All of them are optional; where `mustExist` (an operator named the file), `path` itself is not.
  package static func load(_ path: String = standardPath, mustExist: Bool = false) throws(SettingsError) -> Configuration {
    var documents: [Document] = []
    if let document = try Document.read(path) {
      documents.append(document)
    } else if mustExist {
      throw SettingsError(path, "no such file")
    }
    for dropIn in try dropIns(beside: path) {
      if let document = try Document.read(dropIn) { documents.append(document) }
    }
    return try Configuration(documents)
  }

  init(_ documents: [Document]) throws(SettingsError) {
    self.init()
    for document in documents { try apply(document) }
    try checkTLS(documents)
    try checkStandardRuntime(documents)
  }

  /// A drop-in may name a runtime that another one describes, so this is asked when all are read.
  private func checkStandardRuntime(_ documents: [Document]) throws(SettingsError) {
    let key = ["runtimes", "default"]
    guard runtimes.handlers[runtimes.standard] == nil, let document = documents.last(where: { $0.keys.line(of: key) != nil }) else {
      return
    }
    let known = runtimes.handlers.keys.sorted().joined(separator: ", ")
    throw SettingsError(
      document.file, line: document.keys.line(of: key),
      "\"runtimes.default\" names \"\(runtimes.standard)\", but there is no [runtimes.\(runtimes.standard)] (known: \(known))")
  }

  private static func dropIns(beside path: String) throws(SettingsError) -> [String] {
    let directory = (path.contains("/") ? Files.parent(of: path) + "/" : "") + "config.d"
    do {
      return try Files.list(directory).filter { $0.hasSuffix(".toml") && !$0.hasPrefix(".") }.map { "\(directory)/\($0)" }
    } catch {
      if error.number == error.noEntry { return [] }
      throw SettingsError(directory, "\(error)")
    }
  }

  /// Changes what the keys of `document` say.
  mutating func apply(_ document: Document) throws(SettingsError) {
    try TableReader.read(document) { (table) throws(SettingsError) in
      try table.set(&root, "root", check: Check.absolute)
      try table.set(&state, "state", check: Check.absolute)
      try table.set(&logLevel, "log_level")
      try table.within("grpc") { (table) throws(SettingsError) in try grpc.apply(&table) }
      try table.within("streaming") { (table) throws(SettingsError) in try streaming.apply(&table) }
      try table.within("metrics") { (table) throws(SettingsError) in try metrics.apply(&table) }
      try table.within("stats") { (table) throws(SettingsError) in try stats.apply(&table) }
      try table.within("events") { (table) throws(SettingsError) in try events.apply(&table) }
      try table.within("tracing") { (table) throws(SettingsError) in try tracing.apply(&table) }
      try table.within("registry") { (table) throws(SettingsError) in try registry.apply(&table) }
      try table.within("cni") { (table) throws(SettingsError) in try cni.apply(&table) }
      try table.within("runtimes") { (table) throws(SettingsError) in try runtimes.apply(&table) }
      try table.within("snapshots") { (table) throws(SettingsError) in
        try table.set(&snapshots.snapshotter, "snapshotter") {
          ["auto", "overlay", "native"].contains($0) ? nil : "must be auto, overlay or native"
        }
      }
      try table.within("cgroups") { (table) throws(SettingsError) in
        try table.set(&cgroups.driver, "driver") { ["cgroupfs", "systemd"].contains($0) ? nil : "must be cgroupfs or systemd" }
      }
      try table.within("pods") { (table) throws(SettingsError) in try pods.apply(&table) }
      try table.within("cdi") { (table) throws(SettingsError) in
        try table.set(&cdi.directories, "spec_dirs", check: Check.absoluteList)
      }
      try table.within("containers") { (table) throws(SettingsError) in try containers.apply(&table) }
      try table.within("images") { (table) throws(SettingsError) in try images.apply(&table) }
      try table.within("workloads") { (table) throws(SettingsError) in
        try table.eachTable { (name, table) throws(SettingsError) in try workloads[name, default: .init()].apply(&table) }
      }
      try table.within("shim") { (table) throws(SettingsError) in try shim.apply(&table) }
    }
  }
}

extension Configuration.GRPC {
  fileprivate mutating func apply(_ table: inout TableReader) throws(SettingsError) {
    try table.set(&address, "address", check: Check.socket)
    try table.set(&maximumReceiveSize, "max_recv_message_size", check: Check.range(4096...(1 << 30)))
    try table.set(&maximumSendSize, "max_send_message_size", check: Check.range(4096...(1 << 30)))
  }
}

extension Configuration.Registry {
  fileprivate mutating func apply(_ table: inout TableReader) throws(SettingsError) {
    try table.set(&stallTimeout, "stall_timeout", check: Check.duration(.milliseconds(100) ... .seconds(3600)))
    try table.set(&progressTimeout, "progress_timeout", check: Check.duration(.zero ... .seconds(86400)))
    try table.set(&downloadsPerHost, "max_downloads_per_host", check: Check.range(0...1024))
    try table.set(&authFile, "auth_file", check: Check.absolute)
    try table.set(&helperTimeout, "credential_helper_timeout", check: Check.duration(.milliseconds(100) ... .seconds(600)))
    guard let joined: String = try table.take("config_path", check: Check.absolutes) else { return }
    configPath = Check.parts(joined)
  }
}

extension Configuration.Images {
  fileprivate mutating func apply(_ table: inout TableReader) throws(SettingsError) {
    try table.set(&maximumParallelDownloads, "max_parallel_downloads", check: Check.range(1...64))
    try table.set(&keepLayerBlobs, "keep_layer_blobs")
    try table.set(&pinned, "pinned")
    try table.set(&verifierDirectory, "verifier_dir") { $0.isEmpty ? nil : Check.absolute($0) }
    try table.set(&verifierRecheck, "verifier_recheck", check: Check.recheck)
    try table.set(&verifierTimeout, "verifier_timeout", check: Check.duration(.milliseconds(100) ... .seconds(3600)))
    try table.within("limits") { (table) throws(SettingsError) in
      try table.set(&limits.entries, "max_entries", check: Check.range(1...(1 << 30)))
      try table.set(&limits.layerSize, "max_layer_size", check: Check.range(1...(1 << 60)))
      try table.set(&limits.fileSize, "max_file_size", check: Check.range(1...(1 << 60)))
      try table.set(&limits.expansion, "max_expansion", check: Check.range(1...(1 << 30)))
      try table.set(&limits.depth, "max_depth", check: Check.range(1...256))
      try table.set(&limits.pathLength, "max_path_length", check: Check.range(1...4095))
      try table.set(&limits.nameLength, "max_name_length", check: Check.range(1...255))
      try table.set(&limits.attributes, "max_xattrs", check: Check.range(0...65536))
      try table.set(&limits.attributeSize, "max_xattr_size", check: Check.range(0...65536))
    }
  }
}

extension Configuration.CNI {
  fileprivate mutating func apply(_ table: inout TableReader) throws(SettingsError) {
    try table.set(&binaryDirectories, "bin_dirs", check: Check.absoluteList)
    try table.set(&configurationDirectory, "conf_dir", check: Check.absolute)
    try table.set(&maximumNetworks, "max_conf_num", check: Check.range(0...64))
    try table.set(&attachesSerially, "setup_serially")
    try table.set(&defaultNetwork, "default_network")
    try table.set(&addressPreference, "ip_pref") { ["ipv4", "ipv6", "cni"].contains($0) ? nil : "must be ipv4, ipv6 or cni" }
    try table.set(&template, "conf_template", check: Check.absolute)
    try table.set(&timeout, "timeout", check: Check.range(1...220))
    try table.set(&readyTimeout, "ready_timeout", check: Check.duration(.zero ... .seconds(120)))
    try table.set(&statusGrace, "status_grace_period", check: Check.duration(.zero ... .seconds(3600)))
    try table.set(&hostPorts, "host_ports") { ["portmap", "network"].contains($0) ? nil : "must be portmap or network" }
  }
}

extension Configuration.Runtimes {
  fileprivate mutating func apply(_ table: inout TableReader) throws(SettingsError) {
    try table.set(&standard, "default")
    try table.set(&maximumLogLine, "max_container_log_line_size", check: Check.range(1024...131_072))
    try table.eachTable { (name, table) throws(SettingsError) in
      try handlers[name, default: .init()].apply(&table)
    }
  }
}

extension Configuration.Runtime {
  fileprivate mutating func apply(_ table: inout TableReader) throws(SettingsError) {
    try table.set(&path, "path", check: Check.absolute)
    try table.set(&snapshotter, "snapshotter") { ["overlay", "native"].contains($0) ? nil : "must be overlay or native" }
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
    try table.set(&isMachine, "is_vm")
    try table.set(&execAffinity, "exec_cpu_affinity") { ["", "first"].contains($0) ? nil : "must be empty or first" }
    try table.set(&seccompProfile, "seccomp_profile", check: Check.absolute)
    try table.set(&createTimeout, "container_create_timeout", check: Check.duration(.zero ... .seconds(86400)))
    try table.set(&avoidsPivot, "no_pivot_root")
    try table.set(&sharesKeyring, "no_new_keyring")
    try table.set(&minimumMemory, "container_min_memory", check: Check.range(0...(1 << 40)))
    if inheritsProgram, path != nil { throw table.error("inherit_default_runtime", "and path cannot both be given") }
  }
}

extension Configuration.LogLevel: SettingValue {
  static var expected: String { "one of " + allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ") }
}
