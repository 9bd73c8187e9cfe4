import Linux
import Support
import Testing

@Suite struct CgroupTests {
  private static let unified = """
    30 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot
    """
  private static let legacy = """
    31 23 0:28 / /sys/fs/cgroup ro,nosuid shared:8 - tmpfs tmpfs ro,mode=755
    32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
    33 31 0:30 / /sys/fs/cgroup/cpuset rw,relatime shared:10 - cgroup cgroup rw,cpuset,clone_children
    34 31 0:31 / /sys/fs/cgroup/memory rw,relatime shared:11 - cgroup cgroup rw,memory
    35 31 0:32 / /sys/fs/cgroup/systemd rw,relatime shared:12 - cgroup cgroup rw,xattr,release_agent=/usr/lib/agent,name=systemd
    90 99 0:31 / /sys/fs/cgroup/other/memory rw,relatime shared:11 - cgroup cgroup rw,memory
    """
  private static let hybrid = legacy + "\n36 31 0:33 / /sys/fs/cgroup/unified rw,relatime shared:13 - cgroup2 cgroup2 rw"

  private func tree(_ text: String, root: String = "") -> CgroupTree {
    CgroupTree(mounts: text.split(separator: "\n").compactMap { MountInfo(line: $0) }, root: root)
  }

  @Test func theThreeLayoutsAreTold() {
    #expect(tree(Self.unified).mode == .unified)
    #expect(tree(Self.legacy).mode == .legacy)
    #expect(tree(Self.hybrid).mode == .hybrid)
    #expect(tree(Self.unified).hierarchies == [.init(mountPoint: "/sys/fs/cgroup", kind: .unified)])
    #expect(
      tree(Self.legacy).hierarchies == [
        .init(mountPoint: "/sys/fs/cgroup/cpu,cpuacct", kind: .legacy(["cpu", "cpuacct"])),
        .init(mountPoint: "/sys/fs/cgroup/cpuset", kind: .legacy(["cpuset"])),
        .init(mountPoint: "/sys/fs/cgroup/memory", kind: .legacy(["memory"])),
        .init(mountPoint: "/sys/fs/cgroup/systemd", kind: .legacy(["name=systemd"])),
      ])
  }

  @Test(arguments: ["", "/", "a", "a/b", "//", "/a//b", "/a/", "/a/../b", "/./a"]) func aPathThatIsNotBelowARootIsRefused(_ path: String) {
    #expect(throws: SystemError.self) { try Cgroup(path, in: tree(Self.unified)) }
  }

  /// A recorded tree: plain directories and files where the kernel has its own.
  private func recorded(_ text: String, _ body: (CgroupTree, String) throws -> Void) throws {
    try withScratch("cgroups") { scratch in
      let tree = tree(text, root: scratch)
      for hierarchy in tree.hierarchies { try Files.makeDirectories(hierarchy.mountPoint) }
      try body(tree, scratch + "/sys/fs/cgroup")
    }
  }

  @Test func processesAreFoundInNestedGroupsOfAnyHierarchy() throws {
    try recorded(Self.hybrid) { tree, root in
      for (directory, pids) in [("/memory/p", "1\n2\n"), ("/memory/p/a", "3\n"), ("/unified/p/a/b", "4\n"), ("/memory/q", "5\n")] {
        try Files.makeDirectories(root + directory)
        try Files.write(pids, to: "\(root)\(directory)/cgroup.procs")
      }
      #expect(try Cgroup("/p", in: tree).processes() == [1, 2, 3, 4])
    }
  }

  @Test func groupsNestedAsDeepAsPathsGoAreAllFound() async throws {
    let scratch = try Scratch.make("cgroups")
    defer { Scratch.remove(scratch) }
    let tree = tree(Self.unified, root: scratch)
    let depth = 1900
    try await BlockingWork.run {
      try Files.makeDirectories(scratch + "/sys/fs/cgroup/p" + String(repeating: "/n", count: depth))
      let groups = try Cgroup("/p", in: tree).groups()
      #expect(groups.count == depth + 1 && groups.last == scratch + "/sys/fs/cgroup/p")
      #expect(groups[0].utf8.count == groups[depth].utf8.count + 2 * depth)
    }
  }

  @Test func aFailureHalfWayLeavesNoGroup() throws {
    try recorded(Self.legacy) { tree, root in
      try Files.write("no directory", to: root + "/memory/pod")
      for name in ["cpuset.cpus", "cpuset.mems"] { try Files.write("0-1\n", to: "\(root)/cpuset/\(name)") }
      #expect(throws: SystemError.self) { try Cgroup("/pod/c", in: tree).create() }
      #expect(!Files.exists(root + "/cpu,cpuacct/pod"))
    }
  }

  /// The machine's own hierarchies, whatever they are.
  @Test func aGroupIsMadeJoinedKilledAndRemovedInEveryHierarchy() async throws {
    let tree = try CgroupTree.detect()
    let parent = try Cgroup("/berth-linux-\(UInt32.random(in: 0...UInt32.max))", in: tree)
    let group = try Cgroup(parent.path + "/inner/leaf", in: tree)
    let before = Leftovers(LeftoverScope(cgroup: parent.path))
    try await BlockingWork.run {
      #expect(try group.create().count == 3 * tree.hierarchies.count)
      #expect(try group.create().isEmpty)
      let process = try group.withProcessFiles { descriptors throws(SystemError) in
        var plan = Spawn("/bin/sh", ["-c", "trap '' TERM; sleep 1000 & sleep 1000"], descriptors: [-1, -1, -1])
        plan.environment = ["PATH=/bin"]
        plan.cgroups = descriptors
        return try plan.start()
      }
      #expect(group.processes().contains(process.pid))
      for directory in group.directories {
        #expect(String(decoding: try Files.read(directory + "/cgroup.procs"), as: UTF8.self).contains("\(process.pid)\n"), "\(directory)")
      }
      #expect(throws: SystemError.self) { try group.remove(within: .milliseconds(20)) }
      #expect(parent.kill().isEmpty)
      #expect(try process.reap() == .signalled(9))
      try parent.remove()
      try parent.remove()
    }
    let differences = await before.differences()
    #expect(differences == [])
  }
}
