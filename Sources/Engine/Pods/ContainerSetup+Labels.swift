import CRIAPI
import Core
import Linux
import OCI
import Spec

/// What of a container's files carries its SELinux label.
extension ContainerSetup {
  /// A volume may hold millions of files.
  private static let limit = Duration.seconds(240)

  func labelKind(_ config: Runtime_V1_ContainerConfig, _ image: ImageConfig) throws -> SELinuxKind {
    if services.settings.facts(of: sandbox.runtimeHandler).isMachine { return .machine }
    return SELinuxKind(command: try ContainerCommand.resolve(command: config.command, args: config.args, image: image))
  }

  /// An overlay shows all of its files with one label; what is a whole copy has one on each.
  func label(_ rootfs: RootfsMount, _ labels: SELinuxLabels?) async throws -> RootfsMount {
    guard let labels, let upper = rootfs.upper else { return rootfs }
    if rootfs.isPlain {
      try await relabel([upper], labels.file)
      return rootfs
    }
    var labelled = rootfs
    labelled.options.append("context=\(labels.file)")
    return labelled
  }

  func relabel(_ paths: [String], _ label: String) async throws { try await HostPaths(limit: Self.limit).label(paths, label) }

  /// Of volumes that are to be relabelled. They exist by now.
  func relabelVolumes(_ config: Runtime_V1_ContainerConfig, _ built: BuiltSpec, _ found: [String: HostPath]) async throws {
    guard let label = built.spec.linux.mountLabel else { return }
    let paths = try Relabelling.paths(config.mounts, root: services.settings.bindMountPrefix ?? "") { found[$0]?.resolved ?? $0 }
    let pod = sandbox.config.content
    let allowed = services.settings.allowed(pod, handler: sandbox.runtimeHandler)
    let trusts = allowed.podValue(.trustedLabels, in: pod.annotations) == "true"
    try await HostPaths(limit: Self.limit).label(paths, label, unlessThere: trusts)
  }
}
