import CRIAPI
import Core
import Linux
import Spec

/// Which user namespace a pod gets: the one its own field asks for (mode POD), else the one its annotation does, else the node's.
///
/// Kubelets say mode NODE of every pod without `hostUsers: false`: that is no choice of the pod's.
struct UserNamespaceChoice {
  let settings: EngineSettings
  let request: SandboxRequest
  /// What the pod's annotation asks for, where it may.
  private let mode: UserNamespaceMode?

  /// INVALID_ARGUMENT where the annotation means nothing.
  init(settings: EngineSettings, request: SandboxRequest) throws(Fault) {
    (self.settings, self.request) = (settings, request)
    let allowed = settings.allowed(request.config, handler: request.runtimeHandler)
    let text = allowed.podValue(.usernsMode, in: request.config.annotations) ?? ""
    mode = text.isEmpty ? nil : try UserNamespaceMode(text)
  }

  private static let source = ExperimentalAnnotation.usernsMode.field
  private static let field = "linux.security_context.namespace_options.userns_options"

  private var security: Runtime_V1_LinuxSandboxSecurityContext { request.config.linux.securityContext }
  private var sources: UserNamespaceSources { settings.podDefaults.userNamespaces }

  /// - Parameter used: the host IDs of other pods' user namespaces.
  func namespaces(besides used: () -> IDMaps) throws(Fault) -> PodNamespaces {
    var namespaces = try PodNamespaces(request.config)
    if let asked = namespaces.idMaps {
      try check(asked)
      return namespaces
    }
    if let mode {
      try namespaces.take(try maps(mode, used))
      if let maps = namespaces.idMaps { try settings.podDefaults.checkMappings(maps, Self.source) }
    } else if namespaces.areOwn, !security.privileged {
      try namespaces.take(sources.standard)
    }
    if namespaces.idMaps != nil { try checkNode() }
    return namespaces
  }

  /// What was asked for and comes to nothing.
  var warnings: [String] {
    guard let mode, mode.keepsIDs || mode.mapsToRoot, !security.hasRunAsUser else { return [] }
    return ["\(Self.source): the pod has no user of its own (run_as_user) that could be kept"]
  }

  private func check(_ asked: IDMaps) throws(Fault) {
    if let mode, !mode.isModest {
      throw Fault(.invalidArgument, "\(Self.source): the pod's own user namespace (\(Self.field), mode POD) has other IDs")
    }
    try settings.podDefaults.checkMappings(asked, Self.field)
    try checkNode()
  }

  private func checkNode() throws(Fault) {
    guard !settings.node.hasUserNamespaces else { return }
    throw Fault(
      .failedPrecondition,
      "user namespace: this kernel or the filesystem of \(settings.root) cannot show files with other owners (ID-mapped mounts)")
  }

  private func maps(_ mode: UserNamespaceMode, _ used: () -> IDMaps) throws(Fault) -> IDMaps? {
    if mode.namesRanges { try checkRight() }
    switch mode.kind {
    case .host: return nil
    case .auto: return try found(mode, IDMaps.union([used()] + (sources.standard.map { [$0] } ?? [])))
    case .private where mode.namesRanges:
      let maps = IDMaps(users: mode.users.isEmpty ? mode.groups : mode.users, groups: mode.groups.isEmpty ? mode.users : mode.groups)
      try maps.checkRoot(Self.source)
      return maps
    case .private:
      guard let standard = sources.standard else {
        throw Fault(.failedPrecondition, "\(Self.source): names no IDs, and the node has none for it ([pods] uid_mappings, gid_mappings)")
      }
      return standard
    }
  }

  /// Host IDs may be named by who could be any of them anyway: as CRI-O has it.
  private func checkRight() throws(Fault) {
    let (user, lowest) = (security.runAsUser.value, settings.podDefaults.lowestUser)
    guard security.hasRunAsUser else { throw Fault(.invalidArgument, "\(Self.source): names IDs, and the pod has no run_as_user") }
    if user == 0 { return }
    guard lowest > 0, user >= Int64(lowest) else {
      throw Fault(
        .invalidArgument,
        "\(Self.source): names IDs, and the pod's run_as_user \(user) is neither 0 nor one of those from [pods] minimum_mappable_uid (\(lowest))"
      )
    }
  }
}

extension UserNamespaceChoice {
  private func found(_ mode: UserNamespaceMode, _ used: IDMaps) throws(Fault) -> IDMaps {
    let user = security.hasRunAsUser ? [UInt32(security.runAsUser.value)] : []
    let group = security.hasRunAsGroup ? [UInt32(security.runAsGroup.value)] : []
    let further = security.supplementalGroups.map { UInt32($0) }
    var users = Wanted(size: mode.size, fixed: mode.users)
    var groups = Wanted(size: mode.size, fixed: mode.groups)
    for id in user { users.add(id, mode) }
    for id in group { groups.add(id, mode) }
    for id in further { if mode.keepsIDs { groups.fix(id, id) } else { groups.single.append(id) } }
    return IDMaps(
      users: try users.found(in: SubordinateIDs(file: sources.subordinateUsers, owner: sources.owner), besides: used.users),
      groups: try groups.found(in: SubordinateIDs(file: sources.subordinateGroups, owner: sources.owner), besides: used.groups))
  }

  /// IDs inside of a user namespace that host IDs are to be found for.
  private struct Wanted {
    let size: UInt32
    /// With the host IDs they are to have.
    var fixed: [IDRange]
    /// Whether or not they are below `size`.
    var single: [UInt32] = []

    /// One of the pod's own.
    mutating func add(_ id: UInt32, _ mode: UserNamespaceMode) {
      if mode.keepsIDs { fix(id, id) } else if mode.mapsToRoot { fix(0, id) } else { single.append(id) }
    }

    mutating func fix(_ inside: UInt32, _ outside: UInt32) {
      if IDMaps(users: fixed, groups: []).user(inside) == outside { return }
      fixed.append(IDRange(inside: inside, outside: outside, count: 1))
    }

    func found(in source: SubordinateIDs, besides used: [IDRange]) throws(Fault) -> [IDRange] {
      try UserNamespaceMode.check(fixed, UserNamespaceChoice.source)
      let wanted = IDIntervals([0..<Int(size)] + single.map { Int($0)..<Int($0) + 1 }).subtracting(IDIntervals(inside: fixed))
      let field = UserNamespaceChoice.source
      let owned = try stage(field) { try source.read() }
      let free = owned.subtracting(IDIntervals(outside: used + fixed))
      guard let hosts = free.first(wanted.count) else {
        throw Fault(
          .resourceExhausted,
          "\(field): \(wanted.count) IDs are wanted, and \(free.count) of the \(owned.count) that \(source.file) has for \"\(source.owner)\" are free"
        )
      }
      let ranges = wanted.mapped(to: hosts) + fixed
      try UserNamespaceMode.check(ranges, field)
      return ranges
    }
  }
}
