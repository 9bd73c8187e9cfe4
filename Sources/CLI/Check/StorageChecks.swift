import Settings

/// Where images and state go.
struct StorageChecks {
  var data = Configuration().root

  /// File systems that cannot be an overlay's upper directory.
  static let unfitTypes: Set<String> = ["overlay", "nfs", "nfs4", "cifs", "vfat", "fuse.sshfs", "9p"]

  func findings(_ node: Node) -> [Finding] { [storage(node.mounts), state(node.mounts)] }

  private func storage(_ mounts: [MountEntry]) -> Finding {
    guard let mount = Self.mount(of: data, mounts) else { return .unfit("storage", "\(data) is on no known mount", "mount /proc") }
    guard !Self.unfitTypes.contains(mount.type) else {
      return .unfit("storage", "\(data) is on \(mount.type), which overlayfs cannot write to", "mount an ext4 or xfs there")
    }
    return .good("storage", "\(data) on \(mount.type) (\(mount.path))")
  }

  private func state(_ mounts: [MountEntry]) -> Finding {
    guard Self.mount(of: "/run", mounts)?.type == "tmpfs" else {
      return .warning("state", "/run is no tmpfs", "berthd will mount one at /run/berth")
    }
    return .good("state", "/run is tmpfs")
  }

  /// The mount that a path is on: the longest one that leads to it, of equal ones the topmost.
  static func mount(of path: String, _ mounts: [MountEntry]) -> MountEntry? {
    let leading = mounts.filter { path == $0.path || $0.path == "/" || path.hasPrefix($0.path + "/") }
    return leading.enumerated().max { ($0.element.path.utf8.count, $0.offset) < ($1.element.path.utf8.count, $1.offset) }?.element
  }
}
