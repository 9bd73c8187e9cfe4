import CRIAPI
import Core
import Linux
import Spec

/// Where berthd is in a container itself, and the host's root is mounted somewhere (`bind_mount_prefix`).
extension ContainerSetup {
  /// The config with the host paths of its mounts as they are from here. What is not there is made: from now on the paths have no symlinks, which
  /// could lead out of the host's root.
  func seenFromHere(_ config: Runtime_V1_ContainerConfig) async throws -> Runtime_V1_ContainerConfig {
    guard let prefix = services.settings.bindMountPrefix else { return config }
    let indices = config.mounts.indices.filter { !config.mounts[$0].isImage }
    let paths = indices.map { config.mounts[$0].hostPath }
    let found = try await hostPaths.look(paths, below: prefix)
    try checkSources(zip(paths, found).filter { !$1.exists }.map(\.0))
    var seen = config
    for (index, place) in zip(indices, try await hostPaths.make(paths, below: prefix)) { seen.mounts[index].hostPath = place.resolved }
    return seen
  }
}
