import CRIAPI
import Core
import GRPC
import Linux
import OCI
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

  /// Of what the higher layer hides, nothing may be left; VOLUMEs show the same.
  private static func hidingImage() async throws -> ServedImage {
    let shell = try Files.read("/bin/busybox", limit: 16 << 20)
    let programs = ["bin/sh", "bin/ls"].map { Tar.Entry.file($0, bytes: shell).mode(0o755) }
    let low = try await PackedLayer(
      programs + [
        .file("gone", "a"), .file("kept", "b"),
        .file("covered/old", "c"), .file("data/gone", "d"), .file("data/kept", "e"), .file("tree/deep/gone", "f"), .directory("proc"),
        .directory("sys"), .directory("dev"), .directory("etc"),
      ])
    let high = try await PackedLayer([
      .whiteout("gone"), .opaque("covered"), .file("covered/new", "c"), .whiteout("data/gone"), .whiteout("tree/deep"),
    ])
    return ServedImage([low, high]) { $0.config.volumes = ["/data"] }
  }

  /// As for a berthd in a container that was given no volume.
  @Test func `with its root on an overlay, containers have copies, without what their images' layers remove`() async throws {
    let image = try await Self.hidingImage()
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

          let name = server.authority + "/test/image:1"
          _ = try await node.pull(name)
          #expect(try await node.expectWhole() == 2)
          let shown = try await node.output("", in: pod) {
            $0.image.image = name
            $0.command = ["/bin/sh", "-c", "/bin/ls -d /gone /kept /covered/* /data/* /tree/*; true"]
          }
          let paths = shown.split(separator: "\n").filter { $0.hasPrefix("/") }
          #expect(paths == ["/covered/new", "/data/kept", "/kept"], "\(shown)")
          let error = await #expect(throws: GRPCStatus.self) {
            _ = try await node.launch("view", ["/bin/sh"], in: pod) {
              $0.mounts = [.with { ($0.containerPath, $0.image.image, $0.readonly) = ("/image", name, true) }]
            }
          }
          #expect(error?.message.contains("it was stored where overlayfs cannot be used") == true, "\(error?.message ?? "")")
          try await node.remove(pod: pod)
          try await node.kill()
        }
        try await node.start()
      }
    }
  }
}
