import CLinux

/// IDs inside of a user namespace and what they are outside (user_namespaces(7)).
package struct IDRange: Hashable, Sendable, Codable {
  package var inside: UInt32
  package var outside: UInt32
  package var count: UInt32

  package init(inside: UInt32, outside: UInt32, count: UInt32) {
    self.inside = inside
    self.outside = outside
    self.count = count
  }
}

/// The ID maps of a user namespace.
package struct IDMaps: Hashable, Sendable, Codable {
  package var users: [IDRange]
  package var groups: [IDRange]

  package init(users: [IDRange], groups: [IDRange]) {
    self.users = users
    self.groups = groups
  }

  /// Outside of the namespace; nil where nothing maps it.
  package func user(_ inside: UInt32) -> UInt32? { IDMaps.outside(inside, users) }
  package func group(_ inside: UInt32) -> UInt32? { IDMaps.outside(inside, groups) }

  /// As /proc/PID/uid_map and gid_map take them.
  package var userLines: String { IDMaps.lines(users) }
  package var groupLines: String { IDMaps.lines(groups) }

  private static func outside(_ id: UInt32, _ ranges: [IDRange]) -> UInt32? {
    ranges.first { id >= $0.inside && id - $0.inside < $0.count }.map { $0.outside + (id - $0.inside) }
  }

  private static func lines(_ ranges: [IDRange]) -> String {
    ranges.map { "\($0.inside) \($0.outside) \($0.count)\n" }.joined()
  }

  /// A new user namespace that nobody lives in, for ID-mapped mounts. Blocks shortly.
  package func makeNamespace() throws(SystemError) -> FileHandle {
    let raw = try check("making a user namespace", userLines) { clinux_user_namespace(userLines, groupLines) }
    return FileHandle(owning: raw)
  }
}

extension Mounts {
  /// A read-only view of a directory of ours at `target` with owners as the user namespace maps them. EINVAL where the filesystem cannot do that.
  package static func mapped(_ source: String, at target: String, in namespace: borrowing FileHandle) throws(SystemError) {
    let descriptor = namespace.raw
    try check("ID-mapped mount of", source) {
      clinux_mount_mapped(source, target, descriptor, Int32(CLINUX_MAP_READONLY.rawValue), UInt64(MS_PRIVATE))
    }
  }

  /// Whether files below `source` can be shown with other owners: nil, or the kernel's answer.
  package static func mappingProblem(_ source: String) -> SystemError? {
    let maps = IDMaps(users: [IDRange(inside: 0, outside: 65536, count: 65536)], groups: [IDRange(inside: 0, outside: 65536, count: 65536)])
    do throws(SystemError) {
      let descriptor = try maps.makeNamespace()
      let raw = descriptor.raw
      try check("ID-mapped mount of", source) { clinux_mount_mapped(source, nil, raw, 0, 0) }
      return nil
    } catch {
      return error
    }
  }
}
