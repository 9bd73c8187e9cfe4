package import Core

/// Who makes cgroups, as the kubelet and every runtime on a node must agree.
package enum CgroupDriver: String, Sendable, CaseIterable {
  /// Directories made by whoever needs them.
  case cgroupfs
  /// Slices and scopes that systemd makes.
  case systemd
}

/// Where a pod's cgroups are.
package struct CgroupPath: Sendable, Hashable {
  /// Prefix of scopes made through systemd: `berth-<id>.scope`.
  package static let prefix = "berth"
  private static let standardParent = (cgroupfs: "/berth", systemd: "system.slice")

  private let driver: CgroupDriver
  /// Relative to each hierarchy's root, clean.
  package let parent: String
  private let slice: String

  /// - Parameter parent: LinuxPodSandboxConfig.cgroup_parent; with systemd a slice by its name or with its path.
  package init(parent: String, driver: CgroupDriver) throws(Fault) {
    self.driver = driver
    switch driver {
    case .cgroupfs:
      slice = ""
      self.parent = ContainerPath.clean(parent.isEmpty ? Self.standardParent.cgroupfs : parent)
    case .systemd:
      let name = parent.split(separator: "/").last.map(String.init) ?? Self.standardParent.systemd
      slice = name
      self.parent = try Self.expand(name)
    }
  }

  /// Of shim and holder: a leaf of their own.
  package func sandbox(_ id: String) -> String { parent == "/" ? "/\(id)" : "\(parent)/\(id)" }

  /// Of shim and holder in a pod whose infra container has that one.
  package func monitor(_ id: String) -> String { sandbox("berth-shim-\(id)") }

  /// Of a container, where its processes are to be found.
  package func container(_ id: String) -> String {
    switch driver {
    case .cgroupfs: sandbox(id)
    case .systemd: "\(parent)/\(Self.prefix)-\(id).scope"
    }
  }

  /// The spec's cgroupsPath: the path, or for systemd `<slice>:berth:<id>`, which runc wants with `--systemd-cgroup`.
  package func spec(_ id: String) -> String {
    switch driver {
    case .cgroupfs: container(id)
    case .systemd: "\(slice):\(Self.prefix):\(id)"
    }
  }

  /// `a-b.slice` lies in `a.slice` (systemd.slice(5)).
  private static func expand(_ name: String) throws(Fault) -> String {
    let stem = name.dropLast(".slice".utf8.count)
    let parts = stem.split(separator: "-", omittingEmptySubsequences: false)
    guard name.hasSuffix(".slice"), !stem.isEmpty, !parts.contains(where: \.isEmpty) else {
      throw Fault(.invalidArgument, "linux.cgroup_parent: \"\(name.prefix(200))\" is no slice, and the cgroup driver is systemd")
    }
    return parts.indices.map { "/" + parts[...$0].joined(separator: "-") + ".slice" }.joined()
  }
}
