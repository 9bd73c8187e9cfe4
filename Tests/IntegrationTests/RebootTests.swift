import CRIAPI
import Core
import GRPC
import Linux
import Support
import Testing

/// What a reboot leaves: disks as they were, and neither processes nor mounts nor cgroups nor anything on a tmpfs.
@Suite(.serialized) struct RebootTests {
  /// Everything at once, as a node without power does it; the daemon is not told.
  private func reboot(_ node: Node, _ pods: [String], netns: String) async throws {
    try await node.kill()
    for pod in pods { try await node.killShim(of: pod) }
    let tree = try CgroupTree.detect()
    let group = try Cgroup(Node.cgroup, in: tree)
    #expect(await BlockingWork.run { group.kill() } == [])
    try group.remove()
    for mount in try MountInfo.read() where mount.mountPoint.hasPrefix(node.root + "/") { try Mounts.unmountIfMounted(mount.mountPoint) }
    for name in try Files.list(netns) {
      try Mounts.unmountIfMounted("\(netns)/\(name)")
      try Files.remove("\(netns)/\(name)")
    }
    try Mounts.unmountAll(below: node.state)
    try Mounts.unmountIfMounted(node.state)
    try await node.start()
  }

  private func life(_ node: Node, _ container: String) async throws -> String {
    let status = try await node.status(container: container)
    return status.state == .containerExited ? "\(status.exitCode) \(status.reason)" : "\(status.state)"
  }

  @Test func `pods are NotReady, containers that ran ended in a way nobody saw, and their addresses and layers come back`() async throws {
    try await withScratch("netns") { netns in
      try await Node.with(settings: "[pods]\nnetns_directory = \"\(netns)\"\n") { try await prove($0, netns) }
    }
  }

  private func prove(_ node: Node, _ netns: String) async throws {
    try await node.importBusybox("--volume", "/data")
    let pod = try await node.run(try node.podConfig("before"))
    let other = try await node.run(try node.podConfig("idle"))
    let running = try await node.launch("running", ["sleep", "1000"], in: pod)
    let ended = try await node.launch("ended", ["sh", "-c", "exit 3"], in: pod)
    _ = try await node.ended(ended)
    let created = try await node.create(node.containerConfig("created", ["sleep", "1000"]), in: pod)
    let network = "\(node.scratch)/ipam/\(node.networkName)"
    let addresses = { try Files.list(network).filter { $0.hasPrefix("10.") } }
    #expect(try addresses().count == 2)
    // What ended reaches the disk a little later than memory.
    try await Task.sleep(for: .seconds(1))
    try await reboot(node, [pod, other], netns: netns)

    for id in [pod, other] { #expect(try await node.status(pod: id).state == .sandboxNotready) }
    #expect(try await life(node, running) == "255 NodeRestarted")
    #expect(try await life(node, created) == "255 NodeRestarted")
    #expect(try await life(node, ended) == "3 Error")
    try await eventually("addresses are given back") { try addresses().isEmpty ? true : nil }
    try await eventually("layers of what cannot run any more are gone") {
      let left = Set(try Files.list(node.root + "/snapshots")).intersection([running, created])
      return left.isEmpty ? true : nil
    }
    await expectFault(.failedPrecondition, "not ready") {
      _ = try await node.create(node.containerConfig("late", ["true"]), in: pod)
    }
    let next = try await node.run(try node.podConfig("before") { $0.metadata.attempt = 1 })
    #expect(try await node.output("echo here", in: next) == "here\n")
    for id in [pod, other, next] { try await node.remove(pod: id) }
    #expect(try addresses().isEmpty)
    #expect(try Files.list(node.root + "/snapshots").filter { !$0.hasPrefix(".") } == [])
  }
}
