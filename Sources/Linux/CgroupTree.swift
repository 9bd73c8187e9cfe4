/// The cgroup hierarchies of this machine: one (v2), several (v1), or both (hybrid).
package struct CgroupTree: Sendable, Hashable {
  /// One mounted hierarchy.
  package struct Hierarchy: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
      /// v2: all controllers, or none beside v1 hierarchies (hybrid).
      case unified
      /// v1: `["memory"]`, `["cpu", "cpuacct"]`, `["name=systemd"]`.
      case legacy(Set<String>)
    }
    package var mountPoint: String
    package var kind: Kind

    package init(mountPoint: String, kind: Kind) {
      self.mountPoint = mountPoint
      self.kind = kind
    }

    package func controls(_ controller: String) -> Bool {
      guard case .legacy(let controllers) = kind else { return false }
      return controllers.contains(controller)
    }
  }

  package enum Mode: Sendable { case unified, legacy, hybrid }

  package var hierarchies: [Hierarchy]

  package init(hierarchies: [Hierarchy]) { self.hierarchies = hierarchies }

  /// From the mounts below `/sys/fs/cgroup`. A hierarchy that is mounted twice (in a container's own tree, say) counts once. `root` goes before
  /// every mount point, for trees recorded elsewhere.
  package init(mounts: [MountInfo], root: String = "") {
    hierarchies = []
    for mount in mounts where mount.mountPoint.hasPrefix("/sys/fs/cgroup") {
      guard let kind = Self.kind(mount), !hierarchies.contains(where: { $0.kind == kind }) else { continue }
      hierarchies.append(Hierarchy(mountPoint: root + mount.mountPoint, kind: kind))
    }
  }

  /// This machine's, as this process sees it.
  package static func detect() throws(SystemError) -> CgroupTree { CgroupTree(mounts: try MountInfo.read()) }

  package var mode: Mode {
    let unified = hierarchies.contains { $0.kind == .unified }
    if !unified { return .legacy }
    return hierarchies.count == 1 ? .unified : .hybrid
  }

  private static func kind(_ mount: MountInfo) -> Hierarchy.Kind? {
    switch mount.type {
    case "cgroup2": .unified
    case "cgroup": .legacy(Set(mount.superOptions.filter { isController($0) }))
    default: nil
    }
  }

  private static func isController(_ option: String) -> Bool {
    let others = ["rw", "ro", "xattr", "noprefix", "clone_children", "cpuset_v2_mode", "favordynmods", "nofavordynmods"]
    return !others.contains(option) && !option.hasPrefix("release_agent=")
  }
}
