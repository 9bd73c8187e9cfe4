import CRIAPI
import Core
import OCI

extension SpecInputs {
  /// A privileged container needs a privileged pod, so that admission that looks at the pod cannot be passed by.
  func checkPrivileged() throws(Fault) {
    if security.privileged, !sandbox.linux.securityContext.privileged {
      throw Fault(.invalidArgument, "linux.security_context.privileged: the container is privileged, but its pod is not")
    }
  }

  /// A container cannot have another user namespace than its pod.
  func checkUserNamespace() throws(Fault) {
    let field = "linux.security_context.namespace_options"
    guard let asked = try PodNamespaces.idMaps(security.namespaceOptions, field) else { return }
    if asked != pod.userNamespace?.maps { throw Fault(.invalidArgument, "\(field).userns_options: differ from the pod's") }
  }

  /// What a container may not see or write. The CRI's lists are taken as they are: empty ones are how `procMount: Unmasked` arrives.
  func protectPaths(_ linux: inout RuntimeSpec.Linux) {
    let masked = prepared.maskedPaths + (security.privileged ? [] : security.maskedPaths)
    if !masked.isEmpty { linux.maskedPaths = masked }
    if security.privileged { return }
    if !security.readonlyPaths.isEmpty { linux.readonlyPaths = security.readonlyPaths }
  }

  /// The profile's name, `nil` for unconfined. A named profile on a node without AppArmor fails: running without it would break a promise.
  func appArmorProfile() throws(Fault) -> String? {
    let field = "linux.security_context.apparmor"
    switch try AppArmorRequest(security, field) {
    case .runtimeDefault: return security.privileged || !node.hasAppArmor ? nil : node.defaultAppArmorProfile
    case .unconfined: return nil
    case .localhost(let name):
      guard node.hasAppArmor else { throw Fault(.failedPrecondition, "\(field): profile \"\(name)\", but this node has no AppArmor") }
      if let loaded = try stage(field, { try lookups.appArmorProfiles() }), !loaded.contains(name) {
        throw Fault(.failedPrecondition, "\(field): profile \"\(name.prefix(200))\" is not loaded on this node")
      }
      return name
    }
  }
}

/// Field 16, or the string that came before it.
private enum AppArmorRequest {
  case runtimeDefault
  case unconfined
  case localhost(String)

  init(_ context: Runtime_V1_LinuxContainerSecurityContext, _ field: String) throws(Fault) {
    if context.hasApparmor {
      switch context.apparmor.profileType {
      case .runtimeDefault: self = .runtimeDefault
      case .unconfined: self = .unconfined
      case .localhost: self = try .named(context.apparmor.localhostRef, field)
      case .UNRECOGNIZED(let value): throw Fault(.invalidArgument, "\(field).profile_type: there is no type \(value)")
      }
      return
    }
    switch context.apparmorProfile {
    case "", "runtime/default": self = .runtimeDefault
    case "unconfined": self = .unconfined
    default: self = try .named(context.apparmorProfile, "linux.security_context.apparmor_profile")
    }
  }

  private static func named(_ reference: String, _ field: String) throws(Fault) -> AppArmorRequest {
    let name = reference.hasPrefix("localhost/") ? String(reference.dropFirst("localhost/".count)) : reference
    if name.isEmpty { throw Fault(.invalidArgument, "\(field): a Localhost profile without a name") }
    return .localhost(name)
  }
}
