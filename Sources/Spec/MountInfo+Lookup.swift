import Linux

extension [MountInfo] {
  /// The mount that an absolute path without symlinks lies on: the deepest mount point above it, the last one where several are stacked.
  func mount(of path: String) -> MountInfo? {
    let path = ContainerPath.clean(path)
    return filter { ContainerPath.contains($0.mountPoint, path) }
      .reduce(nil as MountInfo?) { best, mount in mount.mountPoint.utf8.count >= best?.mountPoint.utf8.count ?? 0 ? mount : best }
  }
}

extension MountInfo {
  var isShared: Bool { propagation.contains { $0.hasPrefix("shared:") } }
  var isSlave: Bool { propagation.contains { $0.hasPrefix("master:") } }
}
