import CLinux

/// One cgroup path in every hierarchy.
///
/// All functions touch /sys/fs/cgroup only; ``kill(within:)`` and ``remove(within:)`` block while they wait: not for Swift's own threads.
package struct Cgroup: Sendable, Hashable {
  package let tree: CgroupTree
  /// Absolute within each hierarchy, `/kubepods/pod1/abc`; never a hierarchy's root.
  package let path: String

  /// EINVAL for a path that is relative, the root, or has an empty, `.` or `..` component.
  package init(_ path: String, in tree: CgroupTree) throws(SystemError) {
    let components = path.split(separator: "/", omittingEmptySubsequences: false)
    guard components.count >= 2, components[0].isEmpty, components.dropFirst().allSatisfy({ !["", ".", ".."].contains($0) }) else {
      throw SystemError(EINVAL, call: "cgroup", object: path)
    }
    self.tree = tree
    self.path = path
  }

  /// Its directories, one a hierarchy, there or not.
  package var directories: [String] { tree.hierarchies.map { $0.mountPoint + path } }

  package var exists: Bool { directories.contains { Files.exists($0) } }

  /// Makes it, parents included, in every hierarchy. Returns the directories that were not there, in the order made.
  /// On failure those are removed again.
  @discardableResult
  package func create() throws(SystemError) -> [String] {
    var made: [String] = []
    do throws(SystemError) {
      for hierarchy in tree.hierarchies { try create(in: hierarchy, &made) }
    } catch {
      Self.removeEmpty(made)
      throw error
    }
    return made
  }

  /// Runs `body` with its `cgroup.procs` files open for writing, as ``Spawn/cgroups`` takes them.
  package func withProcessFiles<T>(_ body: ([Int32]) throws(SystemError) -> T) throws(SystemError) -> T {
    var descriptors: [Int32] = []
    defer { for descriptor in descriptors { close(descriptor) } }
    for directory in directories {
      descriptors.append(try FileHandle.open(directory + "/cgroup.procs", O_WRONLY).release())
    }
    return try body(descriptors)
  }

  /// Processes in it and in all groups below it, in any hierarchy.
  package func processes() -> Set<Int32> {
    var pids: Set<Int32> = []
    for group in groups() { pids.formUnion(Self.processes(in: group)) }
    return pids
  }

  /// The directories of it and of all groups below it, children before their parents; those that are there.
  package func groups() -> [String] { directories.flatMap { Self.groups(below: $0) } }

  private func create(in hierarchy: CgroupTree.Hierarchy, _ made: inout [String]) throws(SystemError) {
    var directory = hierarchy.mountPoint
    for component in path.split(separator: "/") {
      let parent = directory
      directory += "/" + component
      if mkdir(directory, 0o755) == 0 {
        made.append(directory)
      } else if clinux_errno() != EEXIST {
        throw SystemError(clinux_errno(), call: "mkdir", object: directory)
      }
      if hierarchy.controls("cpuset") { try Self.inheritCPUs(directory, from: parent) }
    }
  }

  /// A v1 cpuset begins without processors and memory nodes, and takes no process until it has some.
  private static func inheritCPUs(_ directory: String, from parent: String) throws(SystemError) {
    for name in ["cpuset.cpus", "cpuset.mems"] {
      let own = try Files.read("\(directory)/\(name)")
      guard own.isEmpty || own == [UInt8(ascii: "\n")] else { continue }
      try Files.write(try Files.read("\(parent)/\(name)"), to: "\(directory)/\(name)", create: false)
    }
  }
}

/// Walking the directories of one hierarchy.
extension Cgroup {
  /// The group and all below it, children before their parents; empty where it is not there. A container may nest groups as deep as it likes.
  static func groups(below directory: String) -> [String] {
    var parentsFirst: [String] = []
    var todo = [directory]
    while let directory = todo.popLast() {
      var status = stat()
      guard lstat(directory, &status) == 0 else { continue }
      parentsFirst.append(directory)
      // Every child directory is one more link: most groups have none, and dozens of files not worth looking at.
      guard status.st_nlink > 2 else { continue }
      todo += ((try? Files.list(directory)) ?? []).map { "\(directory)/\($0)" }.filter { isDirectory($0) }
    }
    return parentsFirst.reversed()
  }

  static func processes(in directory: String) -> [Int32] {
    guard let bytes = try? Files.read(directory + "/cgroup.procs") else { return [] }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { Int32($0) }
  }

  /// Removes those of `directories` that have neither processes nor children, last first.
  package static func removeEmpty(_ directories: [String]) {
    for directory in directories.reversed() { _ = rmdir(directory) }
  }

  private static func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && clinux_file_type(status.st_mode) == S_IFDIR
  }
}
