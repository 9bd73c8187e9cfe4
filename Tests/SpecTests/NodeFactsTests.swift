import Linux
import Support
import Testing

@testable import Spec

/// What a node with cgroup v2 alone can limit, from trees as kernels show them.
@Suite struct NodeFactsTests {
  @Test func aTreeOfItsOwnHasTheControllersItNames() throws {
    try withScratch { root in
      let tree = CgroupTree(hierarchies: [.init(mountPoint: root, kind: .unified)])
      try Files.write("cpuset cpu io memory hugetlb pids\n", to: root + "/cgroup.controllers")
      #expect(NodeFacts.mountPoint(of: "hugetlb", tree) == root && NodeFacts.mountPoint(of: "rdma", tree) == nil)
      #expect(try NodeFacts.swapLimits(tree))
      try Files.makeDirectories(root + "/system")
      try Files.write("max\n", to: root + "/system/memory.max")
      #expect(try !NodeFacts.swapLimits(tree))
      try Files.write("max\n", to: root + "/system/memory.swap.max")
      #expect(try NodeFacts.swapLimits(tree))
    }
  }

  @Test func besideOldHierarchiesItHasNone() throws {
    try withScratch { root in
      try Files.write("hugetlb\n", to: root + "/cgroup.controllers")
      let tree = CgroupTree(hierarchies: [
        .init(mountPoint: root, kind: .unified), .init(mountPoint: root + "/memory", kind: .legacy(["memory"])),
      ])
      #expect(NodeFacts.mountPoint(of: "hugetlb", tree) == nil && NodeFacts.mountPoint(of: "memory", tree) == root + "/memory")
      #expect(try !NodeFacts.swapLimits(tree))
    }
  }
}
