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

  /// Where the CRI names a profile's file.
  static func field(isDeprecated: Bool) -> String {
    "linux.security_context." + (isDeprecated ? "seccomp_profile_path" : "seccomp.localhost_ref")
  }

  /// Of a profile's file: kubelets may say `localhost/` before it.
  package static func path(_ reference: String) -> String {
    reference.hasPrefix("localhost/") ? String(reference.dropFirst("localhost/".count)) : reference
  }
}

extension SpecInputs {
  /// A privileged container has no filter, whatever it asks for, unless the operator wants one. Kubelets say Unconfined of who says nothing: that is
  /// where a handler's base spec has a word.
  func seccomp(_ capabilities: CapabilitySets, _ warnings: inout [String]) throws(Fault) -> RuntimeSpec.Seccomp? {
    var request = try SeccompRequest(security)
    if security.privileged { return try ofOperator(node.defaults.privilegedSeccomp, capabilities) }
    if let artifactProfile, takesSeccompArtifact { return try artifactSeccomp(artifactProfile, capabilities, &warnings) }
    if request == .unset { request = try SeccompRequest(deprecated: node.defaults.unsetSeccomp) }
    switch request {
    case .unset, .unconfined: return try ofOperator(handler.base?.seccomp, capabilities)
    case .runtimeDefault:
      let profile = try ofOperator(handler.seccomp ?? node.defaults.seccomp, capabilities)
      return profile ?? DefaultSeccomp.profile(for: capabilities.granted)
    case .localhost(let path):
      do { return try localhostSeccomp(path, capabilities, &warnings) } catch {
        throw error.within(SeccompRequest.field(isDeprecated: !security.hasSeccomp))
      }
    }
  }

  private func ofOperator(_ profile: SeccompProfile?, _ capabilities: CapabilitySets) throws(Fault) -> RuntimeSpec.Seccomp? {
    guard let resolved = try profile?.resolved(for: capabilities.granted).0 else { return nil }
    do { try checkAgent(of: resolved) } catch { throw error.within("this node's seccomp profile") }
    return resolved
  }

  /// Who answers for the calls that ask listens already: the OCI runtime connects when it makes the container.
  private func checkAgent(of profile: RuntimeSpec.Seccomp) throws(Fault) {
    guard let path = profile.listenerPath else { return }
    try stage("listenerPath") { try lookups.look([path]) }
    if !lookups.exists(path) { throw Fault(.failedPrecondition, "listenerPath \(path): nothing is there that could answer") }
  }

  private func localhostSeccomp(_ path: String, _ capabilities: CapabilitySets, _ warnings: inout [String]) throws(Fault)
    -> RuntimeSpec.Seccomp
  {
    let name = "seccomp profile \(path)"
    return try resolved(try lookups.seccompFile(path, name), name, capabilities, &warnings)
  }

  func resolved(_ bytes: [UInt8], _ name: String, _ capabilities: CapabilitySets, _ warnings: inout [String]) throws(Fault)
    -> RuntimeSpec.Seccomp
  {
    let (profile, unknown) = try stage(name) {
      let resolved = try SeccompProfile.parse(bytes).resolved(for: capabilities.granted)
      try checkAgent(of: resolved.0)
      return resolved
    }
    if !unknown.isEmpty { warnings.append("\(name): system calls this node does not know: \(unknown.joined(separator: ", "))") }
    return profile
  }
}

extension Lookups {
  /// NOT_FOUND where there is no such file.
  func seccompFile(_ path: String, _ name: String) throws(Fault) -> [UInt8] {
    guard let bytes = try stage(name, { try seccompProfile(path) }) else { throw Fault(.notFound, "\(name): there is no such file") }
    return bytes
  }
}
