import CRIAPI
import Core
import OCI

/// Which system-call filter a container asks for.
enum SeccompRequest: Hashable {
  case unconfined
  case runtimeDefault
  case localhost(path: String)

  /// Field 15, or the string that came before it. Nothing said means unconfined: the kubelet always says something.
  init(_ context: Runtime_V1_LinuxContainerSecurityContext) throws(Fault) {
    let field = "linux.security_context.seccomp"
    guard context.hasSeccomp else {
      self = try SeccompRequest(deprecated: context.seccompProfilePath)
      return
    }
    switch context.seccomp.profileType {
    case .runtimeDefault: self = .runtimeDefault
    case .unconfined: self = .unconfined
    case .localhost: self = try .localhost(context.seccomp.localhostRef, "\(field).localhost_ref")
    case .UNRECOGNIZED(let value): throw Fault(.invalidArgument, "\(field).profile_type: there is no type \(value)")
    }
  }

  private init(deprecated path: String) throws(Fault) {
    switch path {
    case "", "unconfined": self = .unconfined
    case "runtime/default", "docker/default": self = .runtimeDefault
    default:
      guard path.hasPrefix("localhost/") else {
        throw Fault(.invalidArgument, "linux.security_context.seccomp_profile_path: \"\(path.prefix(200))\" is no profile")
      }
      self = try .localhost(path, "linux.security_context.seccomp_profile_path")
    }
  }

  private static func localhost(_ reference: String, _ field: String) throws(Fault) -> SeccompRequest {
    let path = reference.hasPrefix("localhost/") ? String(reference.dropFirst("localhost/".count)) : reference
    guard path.hasPrefix("/") else { throw Fault(.invalidArgument, "\(field): \"\(path.prefix(200))\" is not an absolute path") }
    return .localhost(path: path)
  }
}

extension SpecInputs {
  /// A privileged container has no filter, whatever it asks for.
  func seccomp(_ capabilities: CapabilitySets, _ warnings: inout [String]) throws(Fault) -> RuntimeSpec.Seccomp? {
    let request = try SeccompRequest(security)
    if security.privileged { return nil }
    switch request {
    case .unconfined: return nil
    case .runtimeDefault: return DefaultSeccomp.profile(for: capabilities.granted)
    case .localhost(let path): return try localhostSeccomp(path, capabilities, &warnings)
    }
  }

  private func localhostSeccomp(_ path: String, _ capabilities: CapabilitySets, _ warnings: inout [String]) throws(Fault)
    -> RuntimeSpec.Seccomp
  {
    let name = "seccomp profile \(path)"
    let bytes = try stage(name) { try lookups.seccompProfile(path) }
    guard let bytes else { throw Fault(.notFound, "\(name): there is no such file") }
    let (profile, unknown) = try stage(name) { try SeccompProfile.parse(bytes).resolved(for: capabilities.granted) }
    if !unknown.isEmpty { warnings.append("\(name): system calls this node does not know: \(unknown.joined(separator: ", "))") }
    return profile
  }
}
