import CRIAPI
import Core
import Linux
import OCI

/// The mounts of a container in order: what every container has, then everything bound into it, by depth of its path.
struct MountPlan {
  var mounts: [RuntimeSpec.Mount] = []
  var hostPaths: [String] = []
  /// The root must let propagation through where a mount wants it.
  var rootPropagation: String?
}

extension SpecInputs {
  /// - Parameter userFiles: which files of /etc are the container's own.
  func mountPlan(userFiles: some Collection<String>) throws(Fault) -> MountPlan {
    let binds = try bindMounts(userFiles.sorted())
    let covered = Set(binds.map(\.destination))
    var plan = MountPlan()
    plan.mounts = defaultMounts.filter { mount in
      !covered.contains(mount.destination) && !(covered.contains("/dev") && mount.destination.hasPrefix("/dev/"))
    }
    for var bind in binds.stablySorted(by: { ContainerPath.depth($0.destination) < ContainerPath.depth($1.destination) }) {
      try keepLockedOptions(of: &bind)
      plan.mounts.append(try mount(bind, &plan))
    }
    return plan
  }

  private var defaultMounts: [RuntimeSpec.Mount] {
    let sysAccess = security.privileged ? "rw" : "ro"
    let cgroupAccess = node.cgroupVersion == .v2 && writesCgroups ? "rw" : sysAccess
    let usual = ["nosuid", "noexec", "nodev"]
    var mounts = [
      RuntimeSpec.Mount("/proc", type: "proc", source: "proc", options: usual),
      RuntimeSpec.Mount("/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "strictatime", "mode=755", "size=65536k"]),
      RuntimeSpec.Mount(
        "/dev/pts", type: "devpts", source: "devpts", options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]),
      RuntimeSpec.Mount("/dev/mqueue", type: "mqueue", source: "mqueue", options: usual),
      sysMount(usual, sysAccess),
      RuntimeSpec.Mount(
        "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: usual + ["relatime", cgroupAccess] + keptCgroupOptions),
    ]
    if ownsIPC || pod.shm == nil && pod.ipcNamespace != nil {
      mounts.append(RuntimeSpec.Mount("/dev/shm", type: "tmpfs", source: "shm", options: usual + ["mode=1777", "size=\(pod.shmSize)"]))
    }
    mounts += writablePlaces
    return mounts + initMounts(beside: mounts)
  }

  private var writesCgroups: Bool { handler.hasWritableCgroups || runsInit || experiment(.writableCgroups) == "true" }

  /// A mount from the host's cgroup namespace speaks for the whole filesystem.
  private var keptCgroupOptions: [String] { node.cgroupVersion == .v2 && security.privileged ? node.cgroupMountOptions : [] }

  /// A sysfs shows its mounter's network: who does not own the host's cannot mount one in a pod that uses it, and gets the host's own read-only.
  private func sysMount(_ usual: [String], _ access: String) -> RuntimeSpec.Mount {
    if pod.userNamespace != nil, usesHostNetwork {
      return RuntimeSpec.Mount("/sys", type: "bind", source: "/sys", options: ["rbind", "rprivate"] + usual + ["rro"])
    }
    return RuntimeSpec.Mount("/sys", type: "sysfs", source: "sysfs", options: usual + [sharesWritableSys ? "rw" : access])
  }

  /// All sysfs mounts of a network are one filesystem, and the first of them says whether it is writable at all: an unprivileged
  /// container that mounts it read-only takes it from the privileged ones that start later. Its path is made read-only instead.
  var sharesWritableSys: Bool {
    sandbox.linux.securityContext.privileged && !security.privileged && !usesHostNetwork
      && !container.mounts.contains { ContainerPath.clean($0.containerPath) == "/sys" }
  }

  /// Files of the sandbox and volumes of the image, unless a CRI mount covers them, then the CRI's own.
  private func bindMounts(_ userFiles: [String]) throws(Fault) -> [BindMount] {
    var asked: [BindMount] = []
    for (index, mount) in container.mounts.enumerated() { asked.append(try BindMount(mount, index, prepared)) }
    let covered = Set(asked.map(\.destination))
    let volumes = volumeMounts(prepared.copies) + volumeMounts(imageVolumes)
    let files = prepared.readonlyFiles.sorted { $0.key < $1.key }.map { BindMount(destination: $0.key, source: $0.value, isReadonly: true) }
    let own = podMounts + markerMounts(covered) + userFiles.map(userMount) + volumes + files
    return own.filter { !covered.contains($0.destination) } + asked
  }

  private var podMounts: [BindMount] {
    let files = [("/etc/hostname", pod.hostnameFile), ("/etc/hosts", pod.hostsFile), ("/etc/resolv.conf", pod.resolvConfFile)]
    var mounts = files.compactMap { path, source in
      source.map { BindMount(destination: path, source: $0, isReadonly: hasReadonlyRoot) }
    }
    let shm = ownsIPC ? nil : pod.ipcNamespace == nil ? "/dev/shm" : pod.shm
    if let timezone = node.defaults.timezone {
      mounts.append(BindMount(destination: "/etc/localtime", source: timezone, isReadonly: true))
    }
    if let shm { mounts.append(BindMount(destination: "/dev/shm", source: shm)) }
    return mounts
  }

  private func userMount(_ name: String) -> BindMount {
    BindMount(destination: "/etc/\(name)", source: "\(prepared.ownFiles)/\(name)", isReadonly: hasReadonlyRoot)
  }

  private func volumeMounts(_ directories: [String: String]) -> [BindMount] {
    directories.sorted { $0.key < $1.key }.map { BindMount(destination: ContainerPath.clean($0.key), source: $0.value) }
  }

  private func mount(_ bind: BindMount, _ plan: inout MountPlan) throws(Fault) -> RuntimeSpec.Mount {
    try checkPropagation(bind, prepared.resolved[bind.hostPath] ?? bind.hostPath)
    if bind.isRecursivelyReadonly, !node.hasRecursiveReadOnly {
      throw Fault(
        .failedPrecondition, "RROUnsupported: \(bind.field).recursive_read_only: this node's OCI runtime or kernel cannot do that")
    }
    switch bind.propagation {
    case .bidirectional: plan.rootPropagation = "rshared"
    case .hostToContainer: plan.rootPropagation = plan.rootPropagation ?? "rslave"
    case .none: break
    }
    if !bind.hostPath.isEmpty { plan.hostPaths.append(bind.hostPath) }
    return RuntimeSpec.Mount(bind.destination, type: "bind", source: bind.source, options: bind.options)
  }

  private func keepLockedOptions(of bind: inout BindMount) throws(Fault) {
    guard bind.isReadonly || !bind.extraOptions.isEmpty else { return }
    bind.lockedOptions = try lockedOptions(of: bind.hostPath.isEmpty ? bind.source : prepared.resolved[bind.hostPath] ?? bind.hostPath)
  }

  /// Flags of the mount that a path of the host is on, as far as a user namespace cannot take them away.
  func lockedOptions(of source: String) throws(Fault) -> [String] {
    guard pod.userNamespace != nil else { return [] }
    let table = try stage("reading the mount table") { try lookups.mounts() }
    let flags: Set = ["nosuid", "nodev", "noexec", "noatime", "nodiratime", "relatime"]
    return (table.mount(of: source)?.options ?? []).filter(flags.contains)
  }

  /// Without any the mount's own flags stay as they are.
  func changesFlags(_ options: [String]) -> Bool { !Set(["ro", "rro", "nosuid", "nodev", "noexec", "noatime"]).isDisjoint(with: options) }

  /// What a mount cannot receive or pass on in the host, it cannot in the container.
  private func checkPropagation(_ bind: BindMount, _ source: String) throws(Fault) {
    if bind.propagation == .none { return }
    let table = try stage("reading the mount table") { try lookups.mounts() }
    let mount = table.mount(of: source)
    let suits = mount.map { $0.isShared || bind.propagation == .hostToContainer && $0.isSlave } ?? false
    if suits { return }
    let wanted = bind.propagation == .bidirectional ? "shared" : "shared or slave"
    throw Fault(
      .failedPrecondition, "\(bind.field).propagation: \(source) is on the mount \(mount?.mountPoint ?? "?"), which is not \(wanted)")
  }
}

extension Array {
  /// Equal elements keep their order.
  fileprivate func stablySorted(by precedes: (Element, Element) -> Bool) -> [Element] {
    enumerated().sorted { precedes($0.element, $1.element) || !precedes($1.element, $0.element) && $0.offset < $1.offset }.map(\.element)
  }
}
