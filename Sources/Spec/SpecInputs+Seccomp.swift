import CRIAPI
import Core
import OCI

/// Which system-call filter a container asks for.
package enum SeccompRequest: Hashable {
  /// The config says nothing.
  case unset
  case unconfined
  case runtimeDefault
  case localhost(path: String)

  /// Field 15, or the string that came before it.
  init(_ profile: Runtime_V1_SecurityProfile?, deprecated: String) throws(Fault) {
    let field = "linux.security_context.seccomp"
    guard let profile else {
      self = try SeccompRequest(deprecated: deprecated)
      return
    }
    switch profile.profileType {
    case .runtimeDefault: self = .runtimeDefault
    case .unconfined: self = .unconfined
    case .localhost: self = try .localhost(profile.localhostRef, "\(field).localhost_ref")
    case .UNRECOGNIZED(let value): throw Fault(.invalidArgument, "\(field).profile_type: there is no type \(value)")
    }
  }

  init(_ context: Runtime_V1_LinuxContainerSecurityContext) throws(Fault) {
    self = try SeccompRequest(context.hasSeccomp ? context.seccomp : nil, deprecated: context.seccompProfilePath)
  }

  fileprivate init(deprecated path: String) throws(Fault) {
    switch path {
    case "": self = .unset
    case "unconfined": self = .unconfined
    case "runtime/default", "docker/default": self = .runtimeDefault
    default:
      guard path.hasPrefix("localhost/") else {
        throw Fault(.invalidArgument, "linux.security_context.seccomp_profile_path: \"\(path.prefix(200))\" is no profile")
      }
      self = try .localhost(path, "linux.security_context.seccomp_profile_path")
    }
  }

  private static func localhost(_ reference: String, _ field: String) throws(Fault) -> SeccompRequest {
    let path = path(reference)
    guard path.hasPrefix("/") else { throw Fault(.invalidArgument, "\(field): \"\(path.prefix(200))\" is not an absolute path") }
    return .localhost(path: path)
  }

  /// Of a profile's file: kubelets may say `localhost/` before it.
  package static func path(_ reference: String) -> String {
    reference.hasPrefix("localhost/") ? String(reference.dropFirst("localhost/".count)) : reference
  }
}

extension SpecInputs {
  /// A privileged container has no filter, whatever it asks for, unless the operator wants one.
  func seccomp(_ capabilities: CapabilitySets, _ warnings: inout [String]) throws(Fault) -> RuntimeSpec.Seccomp? {
    var request = try SeccompRequest(security)
    if security.privileged { return try node.defaults.privilegedSeccomp?.resolved(for: capabilities.granted).0 }
    if let artifactProfile, takesSeccompArtifact { return try artifactSeccomp(artifactProfile, capabilities, &warnings) }
    if request == .unset { request = try SeccompRequest(deprecated: node.defaults.unsetSeccomp) }
    switch request {
    case .unset, .unconfined: return nil
    case .runtimeDefault:
      let profile = handler.seccomp ?? node.defaults.seccomp
      return try profile?.resolved(for: capabilities.granted).0 ?? DefaultSeccomp.profile(for: capabilities.granted)
    case .localhost(let path):
      let field = "linux.security_context." + (security.hasSeccomp ? "seccomp.localhost_ref" : "seccomp_profile_path")
      do { return try localhostSeccomp(path, capabilities, &warnings) } catch { throw error.within(field) }
    }
  }

  private func localhostSeccomp(_ path: String, _ capabilities: CapabilitySets, _ warnings: inout [String]) throws(Fault)
    -> RuntimeSpec.Seccomp
  {
    let name = "seccomp profile \(path)"
    let bytes = try stage(name) { try lookups.seccompProfile(path) }
    guard let bytes else { throw Fault(.notFound, "\(name): there is no such file") }
    return try resolved(bytes, name, capabilities, &warnings)
  }

  func resolved(_ bytes: [UInt8], _ name: String, _ capabilities: CapabilitySets, _ warnings: inout [String]) throws(Fault)
    -> RuntimeSpec.Seccomp
  {
    let (profile, unknown) = try stage(name) { try SeccompProfile.parse(bytes).resolved(for: capabilities.granted) }
    if !unknown.isEmpty { warnings.append("\(name): system calls this node does not know: \(unknown.joined(separator: ", "))") }
    return profile
  }
}
