import Core
import Linux

/// What a pod with a user namespace of its own needs of the host, whose files its root cannot see otherwise.
extension SandboxFiles {
  /// All committed layers, read-only, with the owners that the pod is to see: the lower layers of its containers' overlays (overlay itself cannot be
  /// ID-mapped). As ``LayerLayout`` has it with the sandbox's directory for a root.
  var layers: String { LayerLayout.directory(plan.directory) }

  /// One mount, however many layers and containers: nothing is copied and no owner changed, so that such a pod starts as fast as any.
  func mapOwners(_ maps: IDMaps, _ settings: EngineSettings) async throws {
    let store = LayerLayout.directory(settings.root)
    try letIn(settings.state)
    guard let owner = maps.owner(.root) else { throw Fault(.invalidArgument, "nothing maps container ID 0") }
    for file in [resolvConf, hosts, hostname, marker] { try Files.setOwner(file, owner) }
    try Files.makeDirectories(layers)
    let layers = layers
    try await BlockingWork.run {
      do throws(SystemError) { try Mounts.mapped(store, at: layers, in: maps.makeNamespace()) } catch {
        guard error.isUnsupportedMapping else { throw error }
        throw Fault(
          .failedPrecondition, "\(error): this kernel or the filesystem of \(store) cannot show files with other owners", cause: error)
      }
    }
  }

  /// The pod's root is nobody outside: it may pass through our directories, not list them.
  private func letIn(_ state: String) throws {
    for directory in [state, state + "/sandboxes", plan.directory, containers] { try Files.setMode(directory, 0o711) }
    var parent = Files.parent(of: state)
    while parent != "/" {
      guard try Files.mode(parent) & 0o001 != 0 else {
        throw Fault(
          .failedPrecondition, "\(parent) lets nobody but its owner pass: a pod's user namespace needs its mode to have x for others")
      }
      parent = Files.parent(of: parent)
    }
  }

  /// Options of the pod's /dev/shm.
  var shmOptions: String {
    let owner = plan.idMaps?.owner(.root).map { ",uid=\($0.user),gid=\($0.group)" } ?? ""
    let label = plan.fileLabel.map { ",context=\"\($0)\"" } ?? ""
    return "mode=1777,size=\(plan.shmSize ?? SharedMemory.standard)\(owner)\(label)"
  }
}
