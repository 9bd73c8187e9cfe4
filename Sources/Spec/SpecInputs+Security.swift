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
    let readonly = (sharesWritableSys ? ["/sys"] : []) + security.readonlyPaths
    if !readonly.isEmpty { linux.readonlyPaths = readonly }
  }

  /// The profile's name, `nil` for unconfined. A named profile on a node without AppArmor fails: running without it would break a promise.
  func appArmorProfile() throws(Fault) -> String? {
    let field = "linux.security_context.apparmor"
    switch try AppArmorRequest(security, field) {
    case .runtimeDefault:
      if node.hasAppArmor, !security.privileged, let name = node.defaultAppArmorProfile { return name }
      return try baseAppArmorProfile()
    case .unconfined: return try baseAppArmorProfile()
    case .localhost(let name):
      try lookups.checkAppArmor(name, field, node)
      return name
    }
  }
}

extension SpecInputs {
  /// What a handler's base spec has for who is unconfined otherwise; nothing for the privileged.
  private func baseAppArmorProfile() throws(Fault) -> String? {
    guard !security.privileged, let name = handler.base?.content.process?.apparmorProfile, !name.isEmpty else { return nil }
    try lookups.checkAppArmor(name, "base_runtime_spec: process.apparmorProfile", node)
    return name
  }
}

extension Lookups {
  /// FAILED_PRECONDITION where the kernel has no such profile.
  func checkAppArmor(_ name: String, _ field: String, _ node: NodeFacts) throws(Fault) {
    guard node.hasAppArmor else {
      throw Fault(.failedPrecondition, "\(field): profile \"\(name.prefix(200))\", but this node has no AppArmor")
    }
    if let loaded = try stage(field, { try appArmorProfiles() }), !loaded.contains(name) {
      throw Fault(.failedPrecondition, "\(field): profile \"\(name.prefix(200))\" is not loaded on this node")
    }
  }
}

/// Field 16, or the string that came before it.
enum AppArmorRequest {
  case runtimeDefault
  case unconfined
  case localhost(String)

  init(_ context: Runtime_V1_LinuxContainerSecurityContext, _ field: String) throws(Fault) {
    if context.hasApparmor {
      self = try AppArmorRequest(context.apparmor, field)
      return
    }
    switch context.apparmorProfile {
    case "", "runtime/default": self = .runtimeDefault
    case "unconfined": self = .unconfined
    default: self = try .named(context.apparmorProfile, "linux.security_context.apparmor_profile")
    }
  }

  init(_ profile: Runtime_V1_SecurityProfile, _ field: String) throws(Fault) {
    switch profile.profileType {
    case .runtimeDefault: self = .runtimeDefault
    case .unconfined: self = .unconfined
    case .localhost: self = try .named(profile.localhostRef, field)
    case .UNRECOGNIZED(let value): throw Fault(.invalidArgument, "\(field).profile_type: there is no type \(value)")
    }
  }

  private static func named(_ reference: String, _ field: String) throws(Fault) -> AppArmorRequest {
    let name = reference.hasPrefix("localhost/") ? String(reference.dropFirst("localhost/".count)) : reference
    if name.isEmpty { throw Fault(.invalidArgument, "\(field): a Localhost profile without a name") }
    return .localhost(name)
  }
}
