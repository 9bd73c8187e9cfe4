import CRIAPI
import Core

/// Pods that say they are not to be trusted (containerd's annotation) run by the handler `untrusted`, whatever their client knows of handlers.
extension SandboxRequest {
  private static let annotation = "io.kubernetes.cri.untrusted-workload"
  private static let handler = "untrusted"

  /// The request with the handler that it means. INVALID_ARGUMENT where the pod asks for another one, or for what is the host's.
  func withTrust() throws(Fault) -> SandboxRequest {
    guard config.annotations[Self.annotation] == "true" else { return self }
    guard ["", Self.handler].contains(runtimeHandler) else {
      throw Fault(.invalidArgument, "annotation \(Self.annotation): an untrusted pod cannot have the runtime handler \"\(runtimeHandler)\"")
    }
    let options = config.linux.securityContext.namespaceOptions
    if config.linux.securityContext.privileged || [options.network, options.pid, options.ipc].contains(.node) {
      throw Fault(.invalidArgument, "annotation \(Self.annotation): an untrusted pod cannot be privileged or have the host's namespaces")
    }
    return SandboxRequest(config: config, runtimeHandler: Self.handler)
  }
}
