import CRIAPI
import Core
import Linux
import OCI
import Spec

/// What of a container's files carries its SELinux label.
extension ContainerSetup {
  /// A volume may hold millions of files.
  private static let limit = Duration.seconds(240)

  /// An overlay shows all of its files with one label; what is a whole copy has one on each.
  func label(_ rootfs: RootfsMount, _ labels: SELinuxLabels?) async throws -> RootfsMount {
    guard let labels, let upper = rootfs.upper else { return rootfs }
    if rootfs.isPlain {
      try await relabel([upper], labels)
      return rootfs
    }
    var labelled = rootfs
    labelled.options.append("context=\(labels.file)")
    return labelled
  }

  func relabel(_ paths: [String], _ labels: SELinuxLabels) async throws {
    try await HostPaths(limit: Self.limit).label(paths, labels.file)
  }

  /// Of volumes that are to be relabelled. They exist by now.
  func relabelVolumes(_ config: Runtime_V1_ContainerConfig, _ built: BuiltSpec, _ found: [String: HostPath]) async throws {
    guard let label = built.spec.linux.mountLabel else { return }
    let paths = try Relabelling.paths(config.mounts) { found[$0]?.resolved ?? $0 }
    let trusts = services.settings.allowed(sandbox).find(.trustedLabels, in: sandbox.config.content.annotations)?.value == "true"
    try await HostPaths(limit: Self.limit).label(paths, label, unlessThere: trusts)
  }
}
