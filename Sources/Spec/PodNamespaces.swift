package import CRIAPI
package import Core
package import Linux

/// Which namespaces a pod has of its own, from the sandbox's NamespaceOption.
package struct PodNamespaces: Hashable, Sendable {
  package var ownNetwork: Bool
  package var ownIPC: Bool
  /// A pod on the host's network keeps the host's name, unless it says another.
  package var ownUTS: Bool
  /// One PID namespace for all containers.
  package var sharedPID: Bool
  /// Containers see the host's processes.
  package var hostPID: Bool

  /// A user namespace of the pod's own.
  package var idMaps: IDMaps?

  /// INVALID_ARGUMENT for modes that mean nothing there, or not together.
  package init(_ sandbox: Runtime_V1_PodSandboxConfig) throws(Fault) {
    let options = sandbox.linux.securityContext.namespaceOptions
    let field = "linux.security_context.namespace_options"
    ownNetwork = try PodNamespaces.isPod(options.network, "\(field).network")
    ownIPC = try PodNamespaces.isPod(options.ipc, "\(field).ipc")
    ownUTS = ownNetwork || !sandbox.hostname.isEmpty
    hostPID = options.pid == .node
    sharedPID = options.pid == .pod
    if options.pid == .target { throw Fault(.invalidArgument, "\(field).pid: TARGET is only for containers") }
    if case .UNRECOGNIZED(let value) = options.pid { throw Fault(.invalidArgument, "\(field).pid: there is no namespace mode \(value)") }
    if !options.targetID.isEmpty {
      throw Fault(.invalidArgument, "\(field).target_id: \"\(options.targetID.prefix(100))\" is only for the PID mode TARGET")
    }
    try take(try PodNamespaces.idMaps(options, field))
  }

  /// A user namespace, or none, wherever that comes from. INVALID_ARGUMENT where it cannot be beside the others.
  package mutating func take(_ maps: IDMaps?) throws(Fault) {
    idMaps = maps
    let field = "linux.security_context.namespace_options"
    if maps != nil, hostPID { throw Fault(.invalidArgument, "\(field).pid: NODE is not possible in a user namespace") }
    if maps != nil, !ownIPC { throw Fault(.invalidArgument, "\(field).ipc: NODE is not possible in a user namespace") }
  }

  /// Nothing is shared with the host.
  package var areOwn: Bool { ownNetwork && ownIPC && !hostPID }

  private static func isPod(_ mode: Runtime_V1_NamespaceMode, _ field: String) throws(Fault) -> Bool {
    switch mode {
    case .pod: return true
    case .node: return false
    case .container: throw Fault(.invalidArgument, "\(field): CONTAINER is only for containers, a sandbox has POD or NODE")
    case .target: throw Fault(.invalidArgument, "\(field): TARGET is only for PID namespaces")
    case .UNRECOGNIZED(let value): throw Fault(.invalidArgument, "\(field): there is no namespace mode \(value)")
    }
  }
}

extension PodNamespaces {
  /// Nil for the host's user namespace.
  static func idMaps(_ options: Runtime_V1_NamespaceOption, _ field: String) throws(Fault) -> IDMaps? {
    guard options.hasUsernsOptions else { return nil }
    let asked = options.usernsOptions
    let field = "\(field).userns_options"
    switch asked.mode {
    case .node:
      if asked.uids.isEmpty, asked.gids.isEmpty { return nil }
      throw Fault(.invalidArgument, "\(field): mode NODE with ID mappings")
    case .pod: break
    default: throw Fault(.invalidArgument, "\(field).mode: \(asked.mode.rawValue) is neither POD (0) nor NODE (2)")
    }
    return IDMaps(users: try ranges(asked.uids, "\(field).uids"), groups: try ranges(asked.gids, "\(field).gids"))
  }

  private static func ranges(_ asked: [Runtime_V1_IDMapping], _ field: String) throws(Fault) -> [IDRange] {
    try Validation.checkMappings(asked, field)
    let ranges = asked.map { IDRange(inside: $0.containerID, outside: $0.hostID, count: $0.length) }
    guard ranges.contains(where: { $0.inside == 0 }) else { throw Fault(.invalidArgument, "\(field): nothing maps container ID 0") }
    return ranges
  }
}
