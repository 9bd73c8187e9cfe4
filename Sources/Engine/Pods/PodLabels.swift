import CRIAPI
import Core
import Spec

extension EngineSettings {
  /// A pod's SELinux labels, which its containers have that ask for no others; nil where they have none, whatever they ask for.
  /// - Parameter inUse: levels that other pods have.
  func labels(of request: SandboxRequest, ownNetwork: Bool, inUse: @autoclosure () -> Set<String>) throws -> SELinuxLabels? {
    guard ownNetwork || !podDefaults.hostNetworkHasNoLabels else { return nil }
    let kind: SELinuxKind = handlers[request.runtimeHandler]?.isMachine == true ? .machine : .container
    return try node.labels(request.config.linux.securityContext, kind) { levels.next(besides: inUse()) }
  }
}
