import CRIAPI
import Core
import GRPC
import Linux
import SwiftProtobuf
import Testing

/// Limits of huge pages where a controller counts them. Where the machine's is on no hierarchy, berthd has one mounted in a namespace of its own.
@Suite(.serialized, .timeLimit(.minutes(5))) struct HugepageTests {
  private static let directory = "/sys/fs/cgroup/hugetlb"

  private func withController(_ body: (Node) async throws -> Void) async throws {
    let tree = try CgroupTree.detect()
    let isThere = tree.mode == .unified || tree.hierarchies.contains { $0.controls("hugetlb") }
    if isThere { return try await Node.with(body) }
    let mount = "mkdir -p \(Self.directory) && mount -t cgroup -o hugetlb cgroup \(Self.directory) && exec \"$0\" \"$@\""
    defer { Files.removeEmptyDirectories(Self.directory) }
    try await Node.with(launcher: ["/usr/bin/unshare", "-m", "/bin/sh", "-c", mount]) { node in
      try await body(node)
      for pod in try await node.pods() { try await node.remove(pod: pod.id) }
      // Nobody else sees this hierarchy.
      #expect(!Files.exists("/proc/\(try node.processID())/root\(Self.directory)\(Node.cgroup)"))
    }
  }

  private func limit(_ node: Node, _ id: String, _ kind: String = "") throws -> String {
    let unified = try CgroupTree.detect().mode == .unified
    let place = unified ? "/sys/fs/cgroup" : "/proc/\(try node.processID())/root\(Self.directory)"
    let file = "\(place)\(Node.cgroup)/\(id)/hugetlb.2MB\(kind).\(unified ? "max" : "limit_in_bytes")"
    return String(decoding: try Files.read(file), as: UTF8.self)
  }

  private func update(_ node: Node, _ container: String, _ size: String, _ limit: UInt64) async throws {
    let request = Runtime_V1_UpdateContainerResourcesRequest.with {
      $0.containerID = container
      $0.linux.hugepageLimits = [.with { ($0.pageSize, $0.limit) = (size, limit) }]
    }
    _ = try await node.runtime("UpdateContainerResources", request, returning: Runtime_V1_UpdateContainerResourcesResponse.self)
  }

  @Test func `limits hold from the start, change while the container runs, and are shown`() async throws {
    try await withController { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("huge"))
      let id = try await node.launch("main", ["sleep", "1000"], in: pod) {
        $0.linux.resources.hugepageLimits = [.with { ($0.pageSize, $0.limit) = ("2MB", 4 << 20) }]
      }
      #expect(try limit(node, id) == "\(4 << 20)\n")
      try await update(node, id, "2MB", 16 << 20)
      #expect(try limit(node, id) == "\(16 << 20)\n" && limit(node, id, ".rsvd") == "\(16 << 20)\n")
      let shown = try await node.status(container: id).resources.linux.hugepageLimits
      #expect(shown.map(\.pageSize) == ["2MB"] && shown.map(\.limit) == [16 << 20])
      await expectFault(.failedPrecondition, "hugepage_limits", "3MB") { try await update(node, id, "3MB", 3 << 20) }
      #expect(try limit(node, id) == "\(16 << 20)\n")
    }
  }
}
