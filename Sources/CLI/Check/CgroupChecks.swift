/// Control groups: which kind, and whether the controllers that pods need are there.
enum CgroupChecks {
  /// Those that limits of the CRI are made of; without the first two a node is not usable.
  static let needed = ["cpu", "memory"]
  static let wanted = ["cpuset", "pids"]

  /// How the hierarchy is set up.
  enum Layout: Equatable {
    case unified
    case legacy
    /// Controllers on v1, processes of systemd on v2.
    case hybrid
    case none

    var name: String {
      switch self {
      case .unified: "v2"
      case .legacy: "v1"
      case .hybrid: "hybrid (controllers on v1)"
      case .none: "not mounted"
      }
    }
  }

  static func findings(_ node: Node) -> [Finding] {
    let mounts = node.mounts
    let layout = layout(mounts)
    guard layout != .none else {
      return [.unfit("cgroups", "not mounted", "mount -t cgroup2 cgroup2 /sys/fs/cgroup, or boot with systemd")]
    }
    let controllers = controllers(layout, mounts, node)
    return [kind(layout, controllers)] + missing(controllers)
  }

  static func layout(_ mounts: [MountEntry]) -> Layout {
    let unified = mounts.contains { $0.type == "cgroup2" && $0.path.hasPrefix("/sys/fs/cgroup") }
    let legacy = mounts.contains { $0.type == "cgroup" && !$0.options.contains { $0.hasPrefix("name=") } }
    switch (unified, legacy) {
    case (true, false): return .unified
    case (false, true): return .legacy
    case (true, true): return .hybrid
    case (false, false): return .none
    }
  }

  private static func controllers(_ layout: Layout, _ mounts: [MountEntry], _ node: Node) -> Set<String> {
    if layout == .unified {
      return Set((node.text("/sys/fs/cgroup/cgroup.controllers") ?? "").split(separator: " ").map(String.init))
    }
    return Set(mounts.filter { $0.type == "cgroup" }.flatMap(\.options).map(String.init))
  }

  private static func kind(_ layout: Layout, _ controllers: Set<String>) -> Finding {
    let known = ["cpu", "cpuset", "hugetlb", "io", "blkio", "memory", "pids"].filter(controllers.contains)
    return .good("cgroups", "\(layout.name): \(known.joined(separator: " "))")
  }

  private static func missing(_ controllers: Set<String>) -> [Finding] {
    let unfit = needed.filter { !controllers.contains($0) }.map {
      Finding.unfit("cgroups", "no \($0) controller", "boot with cgroup_enable=\($0), or delegate it to this cgroup")
    }
    let warnings = wanted.filter { !controllers.contains($0) }.map {
      Finding.warning("cgroups", "no \($0) controller", "limits that need it will fail; boot with cgroup_enable=\($0)")
    }
    return unfit + warnings
  }
}
