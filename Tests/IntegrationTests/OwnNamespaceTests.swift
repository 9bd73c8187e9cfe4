import CRIAPI
import Core
import GRPC
import Linux
import SwiftProtobuf
import Testing

/// Containers that share less with their pod than others do (NamespaceMode CONTAINER).
@Suite(.serialized, .timeLimit(.minutes(5))) struct OwnNamespaceTests {
  private static let range = Runtime_V1_IDMapping.with { ($0.hostID, $0.length) = (500_000, 65536) }

  @Test func `a network of its own has a loopback that is up, and nothing else`() async throws {
    try await Node.with { node in
      for directory in [node.scratch, node.root] { try Files.setMode(directory, 0o711) }
      try await node.importBusybox()
      let pods = [
        try await node.run(try node.podConfig("plain")),
        try await node.run(try node.podConfig("host") { $0.linux.securityContext.namespaceOptions.network = .node }),
        try await node.run(
          try node.podConfig("users") {
            $0.linux.securityContext.namespaceOptions.usernsOptions = .with {
              ($0.mode, $0.uids, $0.gids) = (.pod, [Self.range], [Self.range])
            }
          }),
      ]
      let script = "ls /sys/class/net; ping -c 1 -W 1 127.0.0.1 >/dev/null && echo up; readlink /proc/self/ns/net"
      for pod in pods {
        let own = try await node.output(script, in: pod) { $0.linux.securityContext.namespaceOptions.network = .container }
        let shared = try await node.output(script, in: pod)
        #expect(own.hasPrefix("lo\nup\n"), "\(own)")
        #expect(own.split(separator: "\n").last != shared.split(separator: "\n").last)
      }
    }
  }

  @Test func `IPC of its own comes with a shm that nobody shares, as large as the pod's`() async throws {
    try await Node.with(settings: "[pods]\nshm_size = 1048576\n") { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("ipc"))
      #expect(try await node.output("echo shared >/dev/shm/x; cat /dev/shm/x", in: pod) == "shared\n")
      let own = try await node.output("ls /dev/shm; df -k /dev/shm | tail -1 | awk '{print $2}'", in: pod) {
        $0.linux.securityContext.namespaceOptions.ipc = .container
      }
      #expect(own == "1024\n", "\(own)")
      #expect(try await node.output("cat /dev/shm/x", in: pod) == "shared\n")
    }
  }

  @Test func `what the pod does not have a container cannot`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("strict"))
      let changes: [(String, String, @Sendable (inout Runtime_V1_NamespaceOption) -> Void)] = [
        ("network", "NODE", { $0.network = .node }), ("ipc", "NODE", { $0.ipc = .node }), ("pid", "NODE", { $0.pid = .node }),
        ("network", "TARGET", { $0.network = .target }), ("ipc", "TARGET", { $0.ipc = .target }),
        ("network", "mode 9", { $0.network = .UNRECOGNIZED(9) }),
      ]
      for (field, value, change) in changes {
        await expectFault(.invalidArgument, "namespace_options.\(field)", value) {
          _ = try await node.create(node.containerConfig("c", ["true"]) { change(&$0.linux.securityContext.namespaceOptions) }, in: pod)
        }
      }
      for (field, change) in [("network", { $0.network = .container }), ("ipc", { $0.ipc = .container })]
        as [(String, (inout Runtime_V1_NamespaceOption) -> Void)]
      {
        await expectFault(.invalidArgument, "namespace_options.\(field)", "CONTAINER") {
          _ = try await node.run(try node.podConfig("refused") { change(&$0.linux.securityContext.namespaceOptions) })
        }
      }
    }
  }
}
