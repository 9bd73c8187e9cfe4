package import CRIAPI
package import Core

/// The profiles that a pod names for itself, beside those of its containers. They have to be on the node whether or not a container stands for the pod:
/// who asks for one that is not there is told when the pod is made, and not left with a pod that runs without.
package struct SandboxProfiles {
  private let security: Runtime_V1_LinuxSandboxSecurityContext

  /// Nil where it names none.
  package init?(_ sandbox: Runtime_V1_PodSandboxConfig) {
    security = sandbox.linux.securityContext
    if hostPaths.isEmpty, !security.hasApparmor || security.apparmor.profileType != .localhost { return nil }
  }

  /// Host paths to look at before ``check(_:_:)``.
  package var hostPaths: [String] {
    guard case .localhost(let path)? = try? seccomp() else { return [] }
    return [path]
  }

  /// Throws the field, its value and what is wrong with it: NOT_FOUND for a missing file, INVALID_ARGUMENT for one that is no profile,
  /// FAILED_PRECONDITION for what the node cannot do.
  package func check(_ node: NodeFacts, _ lookups: Lookups) throws(Fault) {
    if case .localhost(let path) = try seccomp() {
      let name = "seccomp profile \(path)"
      do {
        let bytes = try lookups.seccompFile(path, name)
        _ = try stage(name) { try SeccompProfile.parse(bytes).resolved(for: []) }
      } catch { throw error.within(SeccompRequest.field(isDeprecated: !security.hasSeccomp)) }
    }
    let field = "linux.security_context.apparmor"
    if security.hasApparmor, case .localhost(let name) = try AppArmorRequest(security.apparmor, field) {
      try lookups.checkAppArmor(name, field, node)
    }
  }

  /// Privileged pods have no filter, whatever they ask for.
  private func seccomp() throws(Fault) -> SeccompRequest {
    if security.privileged { return .unset }
    return try SeccompRequest(security.hasSeccomp ? security.seccomp : nil, deprecated: security.seccompProfilePath)
  }
}
