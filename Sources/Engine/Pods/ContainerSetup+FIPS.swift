import CRIAPI
import Core
import Linux
import Spec

/// Cryptography as FIPS 140 has it, on a node that is in that mode: as podman and CRI-O tell containers of it, and the image's own policies for it
/// instead of those it has chosen (crypto-policies(7)). A pod's annotation takes it out, where its handler allows that.
extension ContainerSetup {
  private static let policies = [
    (image: "/usr/share/crypto-policies/back-ends/FIPS", path: "/etc/crypto-policies/back-ends"),
    (image: "/usr/share/crypto-policies/default-fips-config", path: "/etc/crypto-policies/config"),
  ]

  /// The kernel's mode is the node's; programs ask this file whether it begins with a 1. Empty it can be everywhere; runc before 1.2 lets nothing else be
  /// mounted there.
  private static let mode = "/proc/sys/crypto/fips_enabled"

  func prepareFIPS(_ prepared: inout PreparedMounts, _ layers: [LayerID], _ config: Runtime_V1_ContainerConfig) async throws {
    guard services.settings.enforcesFIPS else { return }
    let pod = sandbox.config.content
    let allowed = services.settings.allowed(pod, handler: sandbox.runtimeHandler)
    if allowed.podValue(.disableFIPS, in: pod.annotations) == "true" { return prepared.maskedPaths.append(Self.mode) }
    try await choosePolicies(&prepared, layers)
    try mark(&prepared, covered: Set(config.mounts.map { ContainerPath.clean($0.containerPath) }))
  }

  private func choosePolicies(_ prepared: inout PreparedMounts, _ layers: [LayerID]) async throws {
    let directory = ContainerMounts.directory(bundle)
    let (view, target) = (mounts.view(layers), directory + "/fips")
    let found = try await BlockingWork.run {
      try view.mount(at: target, empty: directory + "/empty")
      return try Self.policies.compactMap { policy in try Files.resolve(policy.image, within: target).map { (policy.path, $0.path) } }
    }
    if found.isEmpty { return try await BlockingWork.run { try Mounts.unmountIfMounted(target) } }
    for (path, source) in found { prepared.readonlyFiles[path] = source }
  }

  /// /run/secrets/system-fips, beside what the operator has there.
  private func mark(_ prepared: inout PreparedMounts, covered: Set<String>) throws {
    guard covered.isDisjoint(with: ["/run", "/var/run", "/run/secrets"]) else { return }
    let directory = prepared.copies["/run/secrets"] ?? bundle + "/fips"
    try Files.makeDirectories(directory, mode: 0o755)
    try Files.write([], to: directory + "/system-fips", mode: 0o444)
    prepared.copies["/run/secrets"] = directory
  }
}
