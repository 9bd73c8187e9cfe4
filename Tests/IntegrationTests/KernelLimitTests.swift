import CRIAPI
import Core
import GRPC
import Linux
import SwiftProtobuf
import Testing

/// Limits that only some kernels have, as files of a container's cgroup hold them while it lives: on cgroup v1 and v2.
@Suite(.serialized, .timeLimit(.minutes(3))) struct KernelLimitTests {
  private static let mebibyte: Int64 = 1 << 20

  private func isUnified() throws -> Bool { try CgroupTree.detect().mode == .unified }

  /// A file of the container's cgroup, without the end of the line; nil where the kernel has none.
  private func file(_ controller: String, _ id: String, _ name: String) throws -> String? {
    let tree = try CgroupTree.detect()
    let hierarchy = try #require(tree.hierarchies.first { tree.mode == .unified || $0.controls(controller) })
    let path = "\(hierarchy.mountPoint)\(Node.cgroup(of: id))/\(name)"
    return Files.exists(path) ? String(decoding: try Files.read(path).dropLast(), as: UTF8.self) : nil
  }

  /// In MiB: memory, and memory with swap; -1 for any amount. Without a second figure where the kernel does not limit swap.
  private func limits(_ id: String) throws -> [Int64] {
    func number(_ text: String?) -> Int64? { text.map { Int64($0).flatMap { $0 > 1 << 60 ? nil : $0 / Self.mebibyte } ?? -1 } }
    if try !isUnified() {
      return [try file("memory", id, "memory.limit_in_bytes"), try file("memory", id, "memory.memsw.limit_in_bytes")].compactMap(number)
    }
    let found = [try file("memory", id, "memory.max"), try file("memory", id, "memory.swap.max")].compactMap(number)
    return found.count < 2 || found.contains(-1) ? found : [found[0], found[0] + found[1]]
  }

  private func update(_ node: Node, _ container: String, _ change: (inout Runtime_V1_LinuxContainerResources) -> Void) async throws {
    let request = Runtime_V1_UpdateContainerResourcesRequest.with {
      $0.containerID = container
      change(&$0.linux)
    }
    _ = try await node.runtime("UpdateContainerResources", request, returning: Runtime_V1_UpdateContainerResourcesResponse.self)
  }

  /// Sets what is given, in MiB.
  private func resize(_ node: Node, _ container: String, _ memory: Int64, swap sum: Int64 = 0) async throws {
    try await update(node, container) {
      $0.memoryLimitInBytes = memory * (memory < 0 ? 1 : Self.mebibyte)
      $0.memorySwapLimitInBytes = sum * (sum < 0 ? 1 : Self.mebibyte)
    }
    guard Node.hasSystemd else { return }
    // It puts the limits of its units into force again.
    _ = try await Command.run("/usr/bin/systemctl", ["daemon-reload"], timeout: .seconds(60))
  }

  private func launch(_ node: Node, _ name: String, in pod: String, memory: Int64, swap sum: Int64 = 0) async throws -> String {
    try await node.launch(name, ["sleep", "1000"], in: pod) {
      $0.linux.resources.memoryLimitInBytes = memory * Self.mebibyte
      $0.linux.resources.memorySwapLimitInBytes = sum * Self.mebibyte
    }
  }

  @Test func `memory and swap have the limits that were asked for, from the start and after each update`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("swapping"))
      let (id, other) = (
        try await launch(node, "swapping", in: pod, memory: 64, swap: 128), try await launch(node, "other", in: pod, memory: 32)
      )
      guard try limits(id).count == 2 else { return try await withoutSwapLimits(node, pod, id) }
      #expect(try limits(id) == [64, 128] && limits(other) == [32, 32])
      // Each in the order that the kernel accepts: what may grow grows first.
      for (memory, sum) in [(256, 512), (64, 64), (64, 96), (-1, -1), (48, 96)] as [(Int64, Int64)] {
        try await resize(node, id, memory, swap: sum)
        #expect(try limits(id) == [memory, sum])
      }
      try await resize(node, id, 80)
      #expect(try limits(id) == [80, 96], "its sum stays")
      let spec = try JSON(parsing: try Files.read("\(node.state)/sandboxes/\(pod)/containers/\(id)/config.json"))
      #expect(spec["linux"]?["resources"]?["memory"]?["swap"] == .number("\(96 * Self.mebibyte)"))
      try await resize(node, other, 40)
      #expect(try limits(other) == [40, 40], "what could not swap still cannot")
      await expectFault(.invalidArgument, "linux.memory_swap_limit_in_bytes", "\(96 * Self.mebibyte)", "\(128 * Self.mebibyte)") {
        try await resize(node, id, 128)
      }
      #expect(try limits(id) == [80, 96])
      let told = try await node.status(container: id).resources.linux
      #expect(told.memoryLimitInBytes == 80 * Self.mebibyte && told.memorySwapLimitInBytes == 96 * Self.mebibyte)
      try await node.restart()
      try await resize(node, id, 90)
      #expect(try limits(id) == [90, 96] && limits(other) == [40, 40])
    }
  }

  /// A limit that cannot be kept is no reason not to run, but none that an update may pretend to have set.
  private func withoutSwapLimits(_ node: Node, _ pod: String, _ id: String) async throws {
    #expect(try limits(id) == [64])
    #expect(node.daemonLog().contains("memory_swap_limit_in_bytes: ignored, this node does not count swap"))
    await expectFault(.failedPrecondition, "linux.memory_swap_limit_in_bytes", "this node does not limit swap") {
      try await resize(node, id, 96, swap: 192)
    }
    #expect(try limits(id) == [64])
    try await resize(node, id, 96)
    #expect(try limits(id) == [96])
  }

  @Test func `a container's memory comes from the nodes that were asked for`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let text = String(decoding: try Files.read("/sys/devices/system/node/has_memory").dropLast(), as: UTF8.self)
      let known = try #require(CPUSet(text)).members.sorted()
      let (first, last) = ("\(try #require(known.first))", "\(try #require(known.last))")
      let pod = try await node.run(try node.podConfig("nodes"))
      let id = try await node.launch("main", ["sleep", "1000"], in: pod) { $0.linux.resources.cpusetMems = last }
      #expect(try file("cpuset", id, "cpuset.mems") == last)
      // On v2 an empty file is the parent's: there, a machine of one node tells a written file from one that was not.
      let free = try await node.launch("free", ["sleep", "1000"], in: pod)
      let before = try file("cpuset", free, "cpuset.mems")
      #expect(try before == (isUnified() ? "" : CPUSet(Set(known)).description))
      try await update(node, free) { $0.cpusetMems = first }
      #expect(try file("cpuset", free, "cpuset.mems") == first)
      #expect(try await node.status(container: free).resources.linux.cpusetMems == first)
      await expectFault(.failedPrecondition, "cpuset_mems", "1000") { try await update(node, free) { $0.cpusetMems = "1000" } }
      #expect(try file("cpuset", free, "cpuset.mems") == first)
      await expectFault(.failedPrecondition, "linux.resources.cpuset_mems", "1000", "memory nodes") {
        _ = try await node.create(node.containerConfig("impossible", ["true"]) { $0.linux.resources.cpusetMems = "1000" }, in: pod)
      }
    }
  }

  @Test func `files of cgroup v2 are written as they were asked for, and refused where there is none`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("unified"))
      func made(_ name: String) async throws -> String {
        try await node.launch(name, ["sleep", "1000"], in: pod) {
          $0.linux.resources.memoryLimitInBytes = 64 * Self.mebibyte
          $0.linux.resources.unified = ["memory.high": "50331648", "memory.oom.group": "1"]
        }
      }
      guard try isUnified() else {
        await expectFault(.failedPrecondition, "linux.resources.unified", "memory.high", "needs cgroup v2") { _ = try await made("main") }
        let plain = try await node.launch("plain", ["sleep", "1000"], in: pod)
        return await expectFault(.failedPrecondition, "linux.unified[\"memory.high\"]") {
          try await update(node, plain) { $0.unified = ["memory.high": "50331648"] }
        }
      }
      let id = try await made("main")
      #expect(try file("memory", id, "memory.high") == "50331648" && file("memory", id, "memory.oom.group") == "1")
      try await update(node, id) { $0.unified = ["memory.high": "33554432"] }
      #expect(try file("memory", id, "memory.high") == "33554432" && file("memory", id, "memory.oom.group") == "1")
      try await update(node, id) { $0.unified = ["memory.swap.max": "1048576"] }
      try await resize(node, id, 80)
      #expect(try limits(id) == [80, 81] && file("memory", id, "memory.high") == "33554432", "a file that was set stays")
      for (key, value) in [("memory.oom.group", "much"), ("memory.none", "1")] {
        await expectFault(.failedPrecondition, "linux.unified[\"\(key)\"]") {
          try await update(node, id) { $0.unified = ["memory.high": "16777216", key: value] }
        }
        #expect(try file("memory", id, "memory.high") == "33554432")
      }
      let told = try await node.status(container: id).resources.linux.unified
      #expect(told == ["memory.high": "33554432", "memory.oom.group": "1", "memory.swap.max": "1048576"])
    }
  }
}
