import Core
import Linux
import OCI
import Spec

/// What CDI specs bind of the host's own files (drivers, sockets), in pods with a user namespace: the host's root is nobody there, and what is not
/// open to everyone could not be used.
extension ContainerMounts {
  /// Mounts each with the pod's owners and lets the spec name that. A filesystem that cannot do it leaves what it is, and a warning.
  func mapHostFiles(_ built: BuiltSpec) async throws -> BuiltSpec {
    guard let maps = sandbox.plan.idMaps, !built.hostFiles.isEmpty else { return built }
    var result = built
    let paths = HostPaths(limit: services.settings.hostPathLimit)
    for (index, mount) in built.spec.mounts.enumerated() where built.hostFiles.contains(mount.destination) {
      guard let source = mount.source, let found = try await paths.look([source]).first, found.exists else { continue }
      let target = "\(directory)/host-\(index)"
      try makeTarget(target, isDirectory: found.isDirectory)
      do {
        try await paths.map([.map(source, target: target, .isPrivate)], as: maps)
        result.spec.mounts[index].source = target
      } catch {
        let fault = Fault(error)
        guard let cause = fault.cause as? SystemError, cause.isUnsupportedMapping else { throw fault }
        result.warnings.append("\(source): its filesystem cannot show files with other owners: the pod's users are strangers there")
      }
    }
    return result
  }

  func makeTarget(_ target: String, isDirectory: Bool) throws {
    try Files.makeDirectories(directory)
    if isDirectory { try Files.makeDirectories(target) } else { try Files.write([], to: target) }
  }
}
