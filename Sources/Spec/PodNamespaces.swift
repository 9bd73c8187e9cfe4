package import CRIAPI
package import Core

/// Which namespaces a pod has of its own, from the sandbox's NamespaceOption.
package struct PodNamespaces: Hashable, Sendable {
  package var ownNetwork: Bool
  package var ownIPC: Bool
  /// A pod on the host's network keeps the host's name (as with containerd).
  package var ownUTS: Bool
  /// One PID namespace for all containers.
  package var sharedPID: Bool
  /// Containers see the host's processes.
  package var hostPID: Bool

  /// INVALID_ARGUMENT for modes that mean nothing there, UNIMPLEMENTED for a user namespace.
  package init(_ sandbox: Runtime_V1_PodSandboxConfig) throws(Fault) {
    let options = sandbox.linux.securityContext.namespaceOptions
    let field = "linux.security_context.namespace_options"
    ownNetwork = try PodNamespaces.isPod(options.network, "\(field).network")
    ownIPC = try PodNamespaces.isPod(options.ipc, "\(field).ipc")
    ownUTS = ownNetwork
    hostPID = options.pid == .node
    sharedPID = options.pid == .pod
    if options.pid == .target { throw Fault(.invalidArgument, "\(field).pid: TARGET is only for containers") }
    if case .UNRECOGNIZED(let value) = options.pid { throw Fault(.invalidArgument, "\(field).pid: there is no namespace mode \(value)") }
    try PodNamespaces.refuseUserNamespace(options, field)
  }

  static func refuseUserNamespace(_ options: Runtime_V1_NamespaceOption, _ field: String) throws(Fault) {
    guard options.hasUsernsOptions else { return }
    switch options.usernsOptions.mode {
    case .node: return
    case .pod: throw Fault(.unimplemented, "\(field).userns_options: user namespaces are not supported yet")
    default: throw Fault(.invalidArgument, "\(field).userns_options.mode: neither POD nor NODE")
    }
  }

  private static func isPod(_ mode: Runtime_V1_NamespaceMode, _ field: String) throws(Fault) -> Bool {
    switch mode {
    case .pod: return true
    case .node: return false
    case .container: throw Fault(.invalidArgument, "\(field): CONTAINER is not possible, a pod's containers share it")
    case .target: throw Fault(.invalidArgument, "\(field): TARGET is only for PID namespaces")
    case .UNRECOGNIZED(let value): throw Fault(.invalidArgument, "\(field): there is no namespace mode \(value)")
    }
  }
}
