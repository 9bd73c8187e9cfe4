import CRIAPI
import Core
import FoundationEssentials
import GRPC
import Linux
import SwiftProtobuf
import Testing

/// Pods whose root is nobody on the host, run by runc.
@Suite(.serialized) struct UserNamespaceTests {
  private static let ranges = [
    Runtime_V1_IDMapping.with {
      $0.hostID = 200_000
      $0.length = 1000
    },
    Runtime_V1_IDMapping.with {
      $0.containerID = 1000
      $0.hostID = 300_000
      $0.length = 64536
    },
  ]

  private func config(_ name: String, on node: Node, _ change: (inout Runtime_V1_PodSandboxConfig) -> Void = { _ in }) throws
    -> Runtime_V1_PodSandboxConfig
  {
    for directory in [node.scratch, node.root] { try Files.setMode(directory, 0o711) }
    return try node.podConfig(name) {
      $0.linux.securityContext.namespaceOptions.usernsOptions = .with {
        $0.mode = .pod
        $0.uids = Self.ranges
        $0.gids = Self.ranges
      }
      change(&$0)
    }
  }

  @Test func `root of a pod is nobody outside, owns its network and sees the image as its own`() async throws {
    try await Node.with { node in
      try await node.importBusybox("--volume", "/home")
      let pod = try await node.run(try config("userns", on: node))
      let script = """
        id -u; stat -c %u:%g /etc/passwd /home /dev/shm /dev/mqueue /etc/hosts; tr -s ' ' < /proc/self/uid_map; echo made > /made; stat -c %u /made
        hostname inside-or-not 2>/dev/null; ip addr add 10.5.5.5/32 dev lo && echo network; mount -t tmpfs none /mnt 2>/dev/null || echo no-mount
        echo out > /dev/stdout; cat /proc/sys/net/ipv4/ip_unprivileged_port_start
        """
      let text = try await node.output(script, in: pod) {
        $0.linux.securityContext.capabilities.addCapabilities = ["NET_ADMIN"]
      }
      for line in ["0\n0:0\n0:0\n0:0\n0:0\n0:0\n", " 0 200000 1000\n", " 1000 300000 64536\n", "network\n", "no-mount\n", "out\n0\n"] {
        #expect(text.contains(line), "\(line) is not in \(text)")
      }
      let id = try await node.launch("sleeper", ["sleep", "1000"], in: pod) { $0.linux.securityContext.runAsUser.value = 1500 }
      let owner = try Files.owner("/proc/\(try #require(try await node.processes(in: pod).first))")
      #expect(owner.user == 300_500)
      #expect(try await node.exec(id, ["id", "-u"]).stdout == .init("1500\n".utf8))
      #expect(try await node.status(container: id).user.linux.uid == 1500)
      try await node.restart()
      #expect(try await node.exec(id, ["cat", "/etc/passwd"]).exitCode == 0)
    }
  }

  @Test func `who is not root may open standard output and error anew, in the container and in an exec`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(try config("userns-streams", on: node))
      let script = "echo one >/dev/stdout; echo two >/dev/stderr; echo three >/proc/self/fd/1; cat /dev/stdin </dev/null"
      let user: (inout Runtime_V1_ContainerConfig) -> Void = {
        $0.linux.securityContext.runAsUser.value = 1500
        $0.linux.securityContext.runAsGroup.value = 1500
      }
      #expect(try await node.output(script, in: pod, user).split(separator: "\n").sorted() == ["one", "three", "two"])
      let id = try await node.launch("sleeper", ["sleep", "1000"], in: pod, user)
      let exec = try await node.exec(id, ["sh", "-c", script])
      let said = (String(decoding: exec.stdout, as: UTF8.self), String(decoding: exec.stderr, as: UTF8.self))
      #expect(exec.exitCode == 0 && said == ("one\nthree\n", "two\n"), "\(exec)")
    }
  }

  @Test func `it works on the host's network and with one PID namespace for the pod`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let host = try await node.run(try config("userns-host", on: node) { $0.linux.securityContext.namespaceOptions.network = .node })
      let text = try await node.output("id -u; ls /sys/class/net; touch /sys/x 2>/dev/null || echo ro", in: host)
      #expect(text.contains("0\n") && text.contains("lo\n") && text.contains("ro\n"), "\(text)")
      let shared = try await node.run(try config("userns-pid", on: node) { $0.linux.securityContext.namespaceOptions.pid = .pod })
      _ = try await node.output("kill -9 1; true", in: shared) { $0.linux.securityContext.namespaceOptions.pid = .pod }
      #expect(try await node.status(pod: shared).state == .sandboxReady)
    }
  }

  @Test func `volumes and images are seen with the pod's owners`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(try config("userns-volume", on: node))
      let data = node.scratch + "/data"
      try Files.makeDirectories(data)
      let text = try await node.output("stat -c %u /data /image/etc/passwd; echo hello > /data/made", in: pod) {
        $0.mounts = [
          .with {
            $0.hostPath = data
            $0.containerPath = "/data"
            $0.uidMappings = Self.ranges
            $0.gidMappings = Self.ranges
          },
          .with {
            $0.containerPath = "/image"
            $0.readonly = true
            $0.image.image = Node.busybox
            // Kubelets say so of every mount of such a pod.
            $0.uidMappings = Self.ranges
            $0.gidMappings = Self.ranges
          },
        ]
      }
      #expect(text == "0\n0\n")
      #expect(try Files.owner(data + "/made") == .root)
    }
  }

  @Test func `what cannot be is refused with the field's name`() async throws {
    try await Node.with { node in
      let field = "userns_options"
      await expectFault(.invalidArgument, "pid", "NODE") {
        _ = try await node.run(try config("a", on: node) { $0.linux.securityContext.namespaceOptions.pid = .node })
      }
      await expectFault(.invalidArgument, "ipc", "NODE") {
        _ = try await node.run(try config("a", on: node) { $0.linux.securityContext.namespaceOptions.ipc = .node })
      }
      await expectFault(.invalidArgument, field, "uids", "0") {
        _ = try await node.run(try config("a", on: node) { $0.linux.securityContext.namespaceOptions.usernsOptions.uids = [] })
      }
      await expectFault(.invalidArgument, field, "NODE") {
        _ = try await node.run(try config("a", on: node) { $0.linux.securityContext.namespaceOptions.usernsOptions.mode = .node })
      }
      let status = try await node.runtime("Status", Runtime_V1_StatusRequest(), returning: Runtime_V1_StatusResponse.self)
      #expect(status.runtimeHandlers.allSatisfy { $0.features.userNamespaces && $0.features.recursiveReadOnlyMounts })
      #expect(status.features.userNamespacesHostNetwork && status.features.mountOptions && status.features.supplementalGroupsPolicy)
    }
  }
}

extension Node {
  /// PIDs of the processes in a pod's containers, as the host sees them.
  func processes(in pod: String) async throws -> [Int32] {
    let request = Runtime_V1_ListContainersRequest.with { $0.filter.podSandboxID = pod }
    let list = try await runtime("ListContainers", request, returning: Runtime_V1_ListContainersResponse.self).containers
    let tree = try CgroupTree.detect()
    return try list.flatMap { try Cgroup(Self.cgroup + "/" + $0.id, in: tree).processes() }.sorted()
  }
}
