import CRIAPI
import Core
import Linux
import Support
import SwiftProtobuf
import Testing

/// Containers whose root filesystem is a copy of their image.
@Suite(.serialized) struct NativeSnapshotTests {
  private static let handler = "[runtimes.copied]\npath = \"/usr/sbin/runc\"\nsnapshotter = \"native\"\n"

  private func runPod(_ node: Node, _ name: String, handler: String) async throws -> String {
    let request = Runtime_V1_RunPodSandboxRequest.with {
      $0.config = (try? node.podConfig(name)) ?? .init()
      $0.runtimeHandler = handler
    }
    return try await node.runtime("RunPodSandbox", request, returning: Runtime_V1_RunPodSandboxResponse.self).podSandboxID
  }

  /// What is mounted as `/`, and what was written there.
  private static let command = [
    "sh", "-c", "grep ' / ' /proc/mounts | cut -d' ' -f3; echo new >/written; cat /written; test -x /bin/sh && sleep 1000",
  ]

  private func rootType(_ node: Node, _ pod: String) async throws -> String {
    let container = try await node.launch("main", Self.command, in: pod)
    return try await eventually("it has written") {
      let log = try await node.log(container, of: pod)
      return log.hasSuffix("new\n") ? log.split(separator: "\n").first.map(String.init) : nil
    }
  }

  @Test func `a runtime handler has a snapshotter of its own, restarts change nothing`() async throws {
    try await Node.with(settings: Self.handler) { node in
      try await node.importBusybox()
      let (copied, plain) = (try await runPod(node, "copied", handler: "copied"), try await runPod(node, "plain", handler: ""))
      #expect(try await rootType(node, copied) != "overlay")
      #expect(try await rootType(node, plain) == "overlay")
      try await node.restart()
      #expect(try await node.containers().count { $0.state == .containerRunning } == 2)
      try await node.remove(pod: copied)
      try await node.remove(pod: plain)
      #expect(try Files.list(node.root + "/snapshots").filter { !$0.hasPrefix(".") } == [])
    }
  }

  @Test func `with native snapshots all containers have copies`() async throws {
    try await Node.with(settings: "[snapshots]\nsnapshotter = \"native\"\n") { node in
      try await node.importBusybox()
      let pod = try await runPod(node, "all", handler: "")
      #expect(try await rootType(node, pod) != "overlay")
    }
  }
}
