import CRIAPI
import Core
import Linux
import Support
import Testing

/// berthd is killed at random moments while it pulls, creates and stops. It always starts again; every pod and container that it lists can be
/// removed; nothing is orphaned; every image it lists runs.
@Suite(.serialized) struct KillStormTests {
  private static let kills = 200

  @Test(.timeLimit(.minutes(20))) func `two hundred kills at random moments orphan nothing`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      for round in 0..<Self.kills {
        let work = Task { await Self.workload(node, round) }
        try await Task.sleep(for: .milliseconds(Int.random(in: 0...150)))
        try await node.kill()
        _ = await work.value
        try await node.start()
        if round % 20 == 19 { try await settle(node) }
      }
      try await settle(node)
    }
  }

  /// What a kubelet might be doing; every call may fail as its daemon dies.
  private static func workload(_ node: Node, _ round: Int) async {
    do {
      if round % 5 == 4 {
        try await node.removeImage(Node.busybox)
        try await node.importBusybox()
      }
      let pod = try await node.run(try node.podConfig("storm\(round)"))
      let container = try await node.launch("main", ["/bin/sh", "-c", "echo up; sleep 100"], in: pod)
      if round % 3 == 0 { try await node.stop(container: container, timeout: 0) }
      try await node.stop(pod: pod)
      try await node.remove(pod: pod)
    } catch { return }
  }

  /// Everything listed can be taken down, and then nothing is left of any pod.
  private func settle(_ node: Node) async throws {
    for pod in try await node.pods() { try await node.remove(pod: pod.id) }
    #expect(try await node.containers().isEmpty)
    try await eventually("the leftovers of interrupted calls are gone", within: 30) {
      let left =
        try Files.list(node.state + "/sandboxes") + Files.list(node.root + "/snapshots").filter { $0 != ".removed" }
        + Files.list(node.root + "/cni").filter { $0 != "pending" }
      return left.isEmpty ? true : nil
    }
    if try await node.images().isEmpty { try await node.importBusybox() }
    let pod = try await node.run(try node.podConfig("check"))
    let container = try await node.launch("main", ["/bin/true"], in: pod)
    #expect(try await node.ended(container).exitCode == 0)
    try await node.remove(pod: pod)
  }
}
