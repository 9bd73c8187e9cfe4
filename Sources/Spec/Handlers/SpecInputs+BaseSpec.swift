import OCI

extension SpecInputs {
  /// Puts what the handler's base spec says below what the CRI said.
  func addBase(to spec: inout RuntimeSpec) {
    guard let base = handler.base?.content else { return }
    addProcess(base, &spec.process)
    addMounts(base.mounts ?? [], &spec)
    if base.root?.readonly == true { spec.root.readonly = true }
    spec.hooks = base.hooks ?? spec.hooks
    spec.annotations = (base.annotations ?? [:]).merging(spec.annotations ?? [:]) { $1 }
    if let sysctls = base.linux?.sysctl { spec.linux.sysctl = sysctls.merging(spec.linux.sysctl ?? [:]) { $1 } }
    let own = Set((spec.linux.devices ?? []).map(\.path))
    let devices = (base.linux?.devices ?? []).filter { !own.contains($0.path) }
    if !devices.isEmpty { spec.linux.devices = devices + (spec.linux.devices ?? []) }
    if let resources = base.linux?.resources { spec.linux.resources = below(spec.linux.resources, resources) }
    spec.linux.rootfsPropagation = spec.linux.rootfsPropagation ?? base.linux?.rootfsPropagation
    (spec.linux.intelRdt, spec.linux.personality) = (base.linux?.intelRdt, base.linux?.personality)
  }

  /// PATH and HOSTNAME are what every container has, the image's and the CRI's words come over the base's.
  private func addProcess(_ base: BaseSpec.Content, _ process: inout RuntimeSpec.Process) {
    process.rlimits = base.process?.rlimits ?? process.rlimits
    var environment = Environment(base.process?.env ?? [])
    for entry in process.env { environment.set(entry) }
    process.env = environment.entries
    process.user.umask = process.user.umask ?? base.process?.user?.umask
    (process.scheduler, process.ioPriority) = (base.process?.scheduler, base.process?.ioPriority)
  }

  /// What every container has mounted stays as it is, and volumes come over the base's mounts.
  private func addMounts(_ mounts: [RuntimeSpec.Mount], _ spec: inout RuntimeSpec) {
    let taken = Set(spec.mounts.map(\.destination)).union([
      "/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue", "/sys", "/sys/fs/cgroup", "/run",
    ])
    let more = mounts.filter { !taken.contains(ContainerPath.clean($0.destination)) }
    let usual = spec.mounts.prefix { !($0.options ?? []).contains { $0 == "rbind" || $0 == "bind" } }.count
    spec.mounts.insert(contentsOf: more, at: usual)
  }

  /// Rules for devices that allow something come after ours; a rule that forbids everything is there already.
  private func below(_ own: RuntimeSpec.Resources?, _ base: RuntimeSpec.Resources) -> RuntimeSpec.Resources {
    let own = own ?? RuntimeSpec.Resources()
    var result = base.updated(with: own)
    result.pids = own.pids ?? base.pids
    result.devices = (own.devices ?? []) + (base.devices ?? []).filter { $0.allow || $0.type != nil || $0.major != nil }
    return result
  }
}
