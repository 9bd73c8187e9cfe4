import CRIAPI
import Core
import GRPC
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

  /// As for a berthd in a container that was given no volume.
  @Test func `with its root on an overlay, containers have copies, and an image that cannot be stored there says why`() async throws {
    let image = ServedImage([try await PackedLayer([.file("a", "a"), .file("b", "b")]), try await PackedLayer([.whiteout("a")])])
    try await withHostileServer {
      image.answer($0)
    } _: { server in
      try await Node.with { node in
        try await node.kill()
        let parts = ["lower", "upper", "work"].map { node.scratch + "/" + $0 }
        for part in parts { try Files.makeDirectories(part) }
        try await withOverlay(RootfsMount(lower: [parts[0]], upper: parts[1], work: parts[2]), at: node.root) {
          try await node.start()
          #expect(node.daemonLog().contains("overlayfs cannot be used below \(node.root)"))
          try await node.importBusybox()
          let pod = try await runPod(node, "inside", handler: "")
          _ = try await rootType(node, pod)
          let mounts = try MountInfo.read().filter { $0.mountPoint.hasPrefix(node.state) && $0.mountPoint.hasSuffix("/rootfs") }
          #expect(mounts.allSatisfy { !$0.superOptions.contains { $0.hasPrefix("lowerdir") && $0.contains("/layers/") } })
          let error = await #expect(throws: GRPCStatus.self) { _ = try await node.pull(server.authority + "/test/image:1") }
          #expect(error?.code == .failedPrecondition, "\(error?.message ?? "")")
          #expect(error?.message.contains("give berthd's root a filesystem of its own") == true, "\(error?.message ?? "")")
          let layers = try node.committedLayers()
          #expect(try await node.images().count == 1 && layers == 1)
          try await node.remove(pod: pod)
          try await node.kill()
        }
        try await node.start()
      }
    }
  }
}
