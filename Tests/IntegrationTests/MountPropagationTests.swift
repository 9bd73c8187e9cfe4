import CRIAPI
import Core
import GRPC
import Linux
import Support
import SwiftProtobuf
import Testing

/// Mounts that are made while a container runs, on either side.
@Suite(.serialized, .timeLimit(.minutes(2))) struct MountPropagationTests {
  private func mount(_ words: String...) async throws {
    let output = try await Command.run("/bin/mount", words, timeout: .seconds(10))
    try #require(output.succeeded, "\(words): \(output.errorText)")
  }

  /// A directory that is a mount of its own, shared with whoever has it.
  private func withShared(on node: Node, _ body: (String) async throws -> Void) async throws {
    let directory = node.scratch + "/shared"
    try Files.makeDirectories(directory + "/sub", mode: 0o755)
    try await mount("--bind", directory, directory)
    try await mount("--make-shared", directory)
    do { try await body(directory) } catch {
      _ = try await Command.run("/bin/umount", ["-l", "-R", directory], timeout: .seconds(10))
      throw error
    }
    let gone = try await Command.run("/bin/umount", ["-R", directory], timeout: .seconds(10))
    #expect(gone.succeeded, "\(gone.errorText)")
  }

  @Test func `a container sees the host's later mounts, or the host the container's, or neither, as was asked for`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(
        try node.podConfig("propagation") {
          $0.linux.securityContext.namespaceOptions.network = .node
          $0.linux.securityContext.privileged = true
        })
      try await withShared(on: node) { directory in
        var ids: [Runtime_V1_MountPropagation: String] = [:]
        for propagation in [Runtime_V1_MountPropagation.propagationPrivate, .propagationHostToContainer, .propagationBidirectional] {
          ids[propagation] = try await node.launch("p\(propagation.rawValue)", ["sleep", "1000"], in: pod) {
            $0.linux.securityContext.privileged = true
            $0.mounts = [.with { ($0.hostPath, $0.containerPath, $0.propagation) = (directory, "/data", propagation) }]
          }
        }
        try await mount("-t", "tmpfs", "tmpfs", directory + "/sub")
        try Files.write("x", to: directory + "/sub/late")
        for (propagation, id) in ids {
          let seen = try await node.exec(id, ["test", "-e", "/data/sub/late"]).exitCode == 0
          #expect(seen == (propagation != .propagationPrivate), "\(propagation)")
        }
        for propagation in [Runtime_V1_MountPropagation.propagationHostToContainer, .propagationBidirectional] {
          let name = "from\(propagation.rawValue)"
          let made = try await node.exec(
            try #require(ids[propagation]),
            ["sh", "-c", "mkdir /data/\(name) && mount -t tmpfs t /data/\(name) && touch /data/\(name)/inside"])
          #expect(made.exitCode == 0, "\(made)")
          #expect(Files.exists("\(directory)/\(name)/inside") == (propagation == .propagationBidirectional))
        }
        for id in ids.values { try await node.stop(container: id, timeout: 0) }
      }
      let data = node.scratch + "/shared"
      try await mount("--bind", data, data)
      try await mount("--make-private", data)
      await expectFault(.failedPrecondition, "mounts[0] (/data).propagation", "not shared") {
        _ = try await node.launch("refused", ["true"], in: pod) {
          $0.mounts = [.with { ($0.hostPath, $0.containerPath, $0.propagation) = (data, "/data", .propagationBidirectional) }]
        }
      }
      _ = try await Command.run("/bin/umount", [data], timeout: .seconds(10))
    }
  }

  @Test func `in a user namespace an image's VOLUMEs have the image's files, with the pod's owners`() async throws {
    try await Node.with { node in
      for directory in [node.scratch, node.root] { try Files.setMode(directory, 0o711) }
      try await node.importBusybox("--volume", "/etc")
      let range = Runtime_V1_IDMapping.with { ($0.containerID, $0.hostID, $0.length) = (0, 1_000_000, 65536) }
      let pod = try await node.run(
        try node.podConfig("volumes") {
          $0.linux.securityContext.namespaceOptions.usernsOptions = .with { ($0.mode, $0.uids, $0.gids) = (.pod, [range], [range]) }
        })
      let text = try await node.output(
        "stat -c %u:%g /etc /etc/passwd; head -1 /etc/passwd; chown 5:6 /etc/passwd && stat -c %u:%g /etc/passwd",
        in: pod)
      #expect(text.hasPrefix("0:0\n0:0\nroot:") && text.hasSuffix("\n5:6\n"), "\(text)")
    }
  }
}
