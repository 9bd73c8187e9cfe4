import Linux
import Support
import Testing

/// Kills for want of memory, counted by the kernel of this machine.
@Suite(.serialized) struct NestedOutOfMemoryTests {
  /// A group with one in it that may use 8 MiB, in the hierarchy that controls memory.
  private func withGroups(_ body: (CgroupReader, _ path: String, _ inner: String) async throws -> Void) async throws {
    let tree = try CgroupTree.detect()
    let memory = try #require(tree.hierarchies.first { $0.controls("memory") } ?? tree.hierarchies.first { $0.kind == .unified })
    let path = "/berth-nested-\(UInt32.random(in: 0...UInt32.max))"
    let (outer, inner) = (memory.mountPoint + path, memory.mountPoint + path + "/inner")
    try Files.makeDirectories(inner)
    do {
      if memory.kind == .unified {
        for directory in [memory.mountPoint, outer] { try Files.write("+memory", to: directory + "/cgroup.subtree_control", create: false) }
      }
      let names = memory.kind == .unified ? ["memory.max"] : ["memory.limit_in_bytes", "memory.memsw.limit_in_bytes"]
      for name in names where Files.exists("\(inner)/\(name)") { try Files.write("8388608", to: "\(inner)/\(name)", create: false) }
      if Files.exists(inner + "/memory.swap.max") { try Files.write("0", to: inner + "/memory.swap.max", create: false) }
      try await body(CgroupReader(tree), path, inner)
    } catch { Issue.record(error) }
    for directory in [inner, outer] { try Files.removeDirectory(directory) }
  }

  @Test func `a kill in a nested group counts for the group around it`() async throws {
    try await withGroups { reader, path, inner in
      #expect(reader.outOfMemoryKills(path) == 0)
      for kills in [1, 2] as [UInt64] {
        let script = "echo $$ >\(inner)/cgroup.procs; exec dd if=/dev/zero of=/dev/null bs=64M count=1"
        let output = try await Command.run("/bin/sh", ["-c", script], timeout: .seconds(60))
        #expect(output.ending == .signalled(9))
        #expect(reader.outOfMemoryKills(path) == kills && reader.outOfMemoryKills(path + "/inner") == kills)
      }
    }
  }
}
