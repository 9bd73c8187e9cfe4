import CRIAPI
import Core
import OCI

extension SpecInputs {
  /// Mount always of its own; UTS of the pod; network, IPC and PID as asked; on cgroup v2 a cgroup namespace unless privileged.
  func namespaces() throws(Fault) -> [RuntimeSpec.Namespace] {
    var list = [RuntimeSpec.Namespace(.mount)]
    if let pid = try pidNamespace() { list.append(pid) }
    if let user = pod.userNamespace { list.append(RuntimeSpec.Namespace(.user, path: user.path)) }
    let options = security.namespaceOptions
    if let network = try namespace(.network, options.network, pod.networkNamespace, "network") { list.append(network) }
    if let ipc = try namespace(.ipc, options.ipc, pod.ipcNamespace, "ipc") { list.append(ipc) }
    if let path = pod.utsNamespace { list.append(RuntimeSpec.Namespace(.uts, path: path)) }
    if node.cgroupVersion == .v2, !security.privileged { list.append(RuntimeSpec.Namespace(.cgroup)) }
    return list
  }

  /// Of the pod (`path`; the host's where it is nil), or one of the container's own: a network with nothing but its loopback, IPC with a /dev/shm that
  /// nobody shares.
  private func namespace(_ type: RuntimeSpec.Namespace.Kind, _ mode: Runtime_V1_NamespaceMode, _ path: String?, _ name: String)
    throws(Fault)
    -> RuntimeSpec.Namespace?
  {
    let field = "linux.security_context.namespace_options.\(name)"
    switch mode {
    case .container: return RuntimeSpec.Namespace(type)
    case .node where path != nil: throw Fault(.invalidArgument, "\(field): NODE, but the pod has a namespace of its own")
    case .pod, .node: return path.map { RuntimeSpec.Namespace(type, path: $0) }
    case .target: throw Fault(.invalidArgument, "\(field): TARGET is only for PID namespaces")
    case .UNRECOGNIZED(let value): throw Fault(.invalidArgument, "\(field): there is no namespace mode \(value)")
    }
  }

  /// Nobody but the container is in its IPC namespace.
  var ownsIPC: Bool { security.namespaceOptions.ipc == .container }

  /// What /sys shows is the host's network.
  var usesHostNetwork: Bool { pod.networkNamespace == nil && security.namespaceOptions.network != .container }

  /// POD in a sandbox whose containers each have their own means the same as CONTAINER: clients often set it on the sandbox only.
  private func pidNamespace() throws(Fault) -> RuntimeSpec.Namespace? {
    let options = security.namespaceOptions
    let field = "linux.security_context.namespace_options.pid"
    let isHost = sandbox.linux.securityContext.namespaceOptions.pid == .node
    switch options.pid {
    case .container: return RuntimeSpec.Namespace(.pid)
    case .node where !isHost:
      // Or admission that looks at the pod could be passed by.
      throw Fault(.invalidArgument, "\(field): NODE, but the pod does not use the host's PID namespace")
    case .node: return nil
    case .pod:
      return isHost ? nil : RuntimeSpec.Namespace(.pid, path: pod.pidNamespace)
    case .target:
      if let path = pod.targetPIDNamespace { return RuntimeSpec.Namespace(.pid, path: path) }
      throw Fault(.failedPrecondition, "\(field): the target container \"\(options.targetID)\" is not running")
    case .UNRECOGNIZED(let value): throw Fault(.invalidArgument, "\(field): there is no namespace mode \(value)")
    }
  }
}
