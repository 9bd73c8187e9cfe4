import CRIAPI
import Core
import GRPC
import Linux
import Support
import SwiftProtobuf
import Testing

/// `hack/vm` with BERTH_VM_SELINUX=1 has a kernel that enforces a policy, which a build machine may not have.
@Suite(.serialized) struct SELinuxTests {
  /// On a node whose pods have labels; where there cannot be one, berthd says so.
  private func withLabels(_ body: (Node) async throws -> Void) async throws {
    guard Node.hasLabels else { return try await expectRefusedSettings(Node.labels, "this node has no SELinux") }
    try await Node.with { node in
      try await node.importBusybox()
      try await body(node)
    }
  }

  private func volume(_ path: String, relabel: Bool = false) -> Runtime_V1_Mount {
    .with { ($0.hostPath, $0.containerPath, $0.selinuxRelabel) = (path, "/volume", relabel) }
  }

  private func level(_ node: Node, _ pod: String) async throws -> String {
    let label = try await node.output("cat /proc/self/attr/current", in: pod).filter { $0 != "\0" && $0 != "\n" }
    return try #require(label.split(separator: ":", maxSplits: 3).last.map(String.init), "\(label)")
  }

  @Test func `a container runs with its pod's label, and may do all that is its own`() async throws {
    try await withLabels { node in
      let pod = try await node.run(try node.podConfig("labelled"))
      let said = try await node.output(
        """
        cat /proc/self/attr/current; echo; echo mine >/file && cat /file; echo shm >/dev/shm/file && cat /dev/shm/file
        grep -c . /etc/hosts /etc/resolv.conf /etc/hostname; echo no >/dev/null && mkdir -p /a/b && touch /a/b/c && rm -r /a && echo done
        """, in: pod)
      let lines = said.split(separator: "\n").map(String.init)
      #expect(lines.first?.hasPrefix("system_u:system_r:container_t:s0:c") == true, "\(said)\(node.daemonLog())")
      #expect(lines.contains("mine") && lines.contains("shm") && lines.last == "done", "\(said)")
      let id = try await node.launch("sleeper", ["sleep", "1000"], in: pod)
      let exec = try await node.exec(id, ["cat", "/proc/self/attr/current"])
      #expect(String(decoding: exec.stdout, as: UTF8.self).filter { $0 != "\0" } == lines.first?.filter { $0 != "\0" })
      try await node.stop(container: id, timeout: 1)
      #expect(try await node.status(container: id).exitCode == 143)
    }
  }

  @Test func `levels keep to the categories that the operator has for pods`() async throws {
    let range = "selinux_category_range = 2\n"
    guard Node.hasLabels else { return try await expectRefusedSettings(Node.labels + range, "this node has no SELinux") }
    try await Node.with(settings: "[containers]\n" + range) { node in
      try await node.importBusybox()
      for name in ["one", "two"] {
        #expect(try await level(node, try await node.run(try node.podConfig(name))) == "s0:c0,c1")
      }
    }
  }

  @Test func `a terminal, an image as a volume, a user namespace: all with labels`() async throws {
    try await withLabels { node in
      let pod = try await node.run(try node.podConfig("more"))
      let id = try await node.launch("terminal", ["sh", "-c", "tty && cat /image/etc/passwd | head -1"], in: pod) {
        $0.tty = true
        $0.mounts = [.with { ($0.containerPath, $0.image.image, $0.readonly) = ("/image", Node.busybox, true) }]
      }
      #expect(try await node.ended(id).exitCode == 0)
      let log = try await node.log(id, of: pod)
      #expect(log.contains("/dev/pts/0") && log.contains("root:"), "\(log)")
      for directory in [node.scratch, node.root] { try Files.setMode(directory, 0o711) }
      let mapped = try await node.run(
        try node.podConfig("mapped") {
          $0.linux.securityContext.namespaceOptions.usernsOptions = .with {
            $0.mode = .pod
            $0.uids = [.with { ($0.hostID, $0.containerID, $0.length) = (300_000, 0, 65536) }]
            $0.gids = $0.uids
          }
        })
      #expect(try await node.output("echo mine >/file && cat /file /proc/self/uid_map", in: mapped).contains("300000"))
    }
  }

  @Test func `volumes are closed until they are relabelled, and then to every other pod`() async throws {
    try await withLabels { node in
      let directory = node.scratch + "/volume"
      try Files.makeDirectories(directory)
      try Files.write("secret\n", to: directory + "/file")
      let (first, second) = (try await node.run(try node.podConfig("first")), try await node.run(try node.podConfig("second")))
      #expect(try await level(node, first) != level(node, second))
      let look = "cat /volume/file || echo closed"
      #expect(try await node.output(look, in: first) { $0.mounts = [volume(directory)] }.contains("closed\n"))
      #expect(try await node.output(look, in: first) { $0.mounts = [volume(directory, relabel: true)] } == "secret\n")
      #expect(try await node.output(look, in: first) { $0.mounts = [volume(directory)] } == "secret\n")
      #expect(try await node.output(look, in: second) { $0.mounts = [volume(directory)] }.contains("closed\n"))
      let privileged = try await node.run(try node.podConfig("privileged") { $0.linux.securityContext.privileged = true })
      let seen = try await node.output(look, in: privileged) {
        $0.mounts = [volume(directory)]
        $0.linux.securityContext.privileged = true
      }
      #expect(seen == "secret\n")
    }
  }

  @Test func `a pod's own level is what it has, over a restart of berthd too, and a type that the policy lacks is an error`() async throws {
    try await withLabels { node in
      let pod = try await node.run(try node.podConfig("own") { $0.linux.securityContext.selinuxOptions.level = "s0:c7,c9" })
      #expect(try await level(node, pod) == "s0:c7,c9")
      try await node.restart()
      #expect(try await level(node, pod) == "s0:c7,c9")
      await expectFault(.invalidArgument, "no_such_t") {
        _ = try await node.launch("odd", ["true"], in: pod) { $0.linux.securityContext.selinuxOptions.type = "no_such_t" }
      }
    }
  }
}
