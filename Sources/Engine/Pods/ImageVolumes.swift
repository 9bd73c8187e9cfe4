import CRIAPI
import Core
import Linux
import OCI
import Spec

/// Directories for the VOLUMEs of an image that no mount covers, filled with what the image has there. They live beside the container's writable
/// layer and go with it.
struct ImageVolumes: Sendable {
  let mounts: ContainerMounts
  let rootfs: RootfsMount
  /// Of directories that the image does not have.
  let owner: FileOwner

  private static let copyLimit = Duration.seconds(240)

  /// Host directory by container path.
  func make(_ image: ImageConfig, _ layers: [LayerID], _ config: Runtime_V1_ContainerConfig) async throws -> [String: String] {
    let covered = Set(config.mounts.map { ContainerPath.clean($0.containerPath) })
    let paths = Set(image.config.volumes.map(ContainerPath.clean)).subtracting(covered).subtracting(["/"]).sorted()
    guard !paths.isEmpty, let upper = rootfs.upper else { return [:] }
    let base = Files.parent(of: upper) + "/volumes"
    let directories = Dictionary(uniqueKeysWithValues: paths.enumerated().map { ($0.element, "\(base)/\($0.offset)") })
    // A whole copy of the image needs no mount to be seen.
    let mounted = rootfs.isPlain ? nil : ContainerMounts.directory(mounts.bundle) + "/rootfs"
    let view = mounted ?? upper
    try await BlockingWork.run { [mounts] in
      try Files.makeDirectories(base, mode: 0o711)
      if let mounted { try mounts.view(layers).mount(at: mounted, empty: ContainerMounts.directory(mounts.bundle) + "/empty") }
    }
    for (path, directory) in directories {
      try await stage("image volume \(path)") { try await fill(directory, from: try Files.resolve(path, within: view)) }
    }
    if let mounted { try await BlockingWork.run { try Mounts.unmountIfMounted(mounted) } }
    return directories
  }

  /// With owners, modes, links and attributes; an empty directory where the image has none.
  private func fill(_ directory: String, from source: (path: String, isDirectory: Bool)?) async throws {
    guard let source, source.isDirectory else {
      try Files.makeDirectories(directory, mode: 0o755)
      return try Files.setOwner(directory, owner)
    }
    let output = try await Command.run(
      "/bin/cp", ["-a", "-T", "--reflink=auto", "--", source.path, directory], environment: ["PATH=/usr/bin:/bin", "LC_ALL=C"],
      timeout: Self.copyLimit)
    guard output.succeeded else { throw Fault(.internal, "copying what the image has there: \(output.ending): \(output.errorText)") }
  }
}
