import CRIAPI
import Core
import OCI

extension SpecInputs {
  /// Mount always of its own; network, IPC and UTS of the pod; PID as asked; on cgroup v2 a cgroup namespace unless privileged.
  func namespaces() throws(Fault) -> [RuntimeSpec.Namespace] {
    var list = [RuntimeSpec.Namespace(.mount)]
    if let pid = try pidNamespace() { list.append(pid) }
    if let user = pod.userNamespace { list.append(RuntimeSpec.Namespace(.user, path: user.path)) }
    if let path = pod.networkNamespace { list.append(RuntimeSpec.Namespace(.network, path: path)) }
    if let path = pod.ipcNamespace { list.append(RuntimeSpec.Namespace(.ipc, path: path)) }
    if let path = pod.utsNamespace { list.append(RuntimeSpec.Namespace(.uts, path: path)) }
    if node.cgroupVersion == .v2, !security.privileged { list.append(RuntimeSpec.Namespace(.cgroup)) }
    return list
  }

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
