import CRIAPI
import Core
import GRPC
import Linux
import SwiftProtobuf
import Testing

/// Pods that their own annotations or the node's limits keep from something.
@Suite(.serialized) struct UntrustedPodTests {
  private static let annotation = "io.kubernetes.cri.untrusted-workload"

  @Test func `a pod that is not to be trusted runs by the handler for such pods, and has nothing of the host`() async throws {
    try await Node.with(settings: "[runtimes.untrusted]\npath = \"/usr/sbin/runc\"\n") { node in
      try await node.importBusybox()
      let config = try node.podConfig("untrusted") { $0.annotations = [Self.annotation: "true"] }
      let pod = try await node.run(config)
      #expect(try await node.status(pod: pod).runtimeHandler == "untrusted")
      #expect(try await node.run(config) == pod)
      #expect(try await node.run(config, "untrusted") == pod)
      #expect(try await node.output("echo runs", in: pod) == "runs\n")
      await expectFault(.invalidArgument, Self.annotation, "\"runc\"") { _ = try await node.run(config, "runc") }
      for change: (inout Runtime_V1_LinuxSandboxSecurityContext) -> Void in [
        { $0.privileged = true }, { $0.namespaceOptions.network = .node }, { $0.namespaceOptions.pid = .node },
        { $0.namespaceOptions.ipc = .node },
      ] {
        var wanted = config
        wanted.metadata.name = "wanting"
        change(&wanted.linux.securityContext)
        let request = wanted
        await expectFault(.invalidArgument, Self.annotation, "host's namespaces") { _ = try await node.run(request) }
      }
      let trusted = try await node.run(try node.podConfig("trusted") { $0.annotations = [Self.annotation: "false"] })
      #expect(try await node.status(pod: trusted).runtimeHandler == "")
    }
  }

  @Test func `without a handler for them, pods that are not to be trusted do not run`() async throws {
    try await Node.with { node in
      await expectFault(.invalidArgument, "runtime handler \"untrusted\" is not configured") {
        _ = try await node.run(try node.podConfig("untrusted") { $0.annotations = [Self.annotation: "true"] })
      }
    }
  }

  @Test func `user namespaces map no host IDs below those that are for pods`() async throws {
    try await Node.with(settings: "[pods]\nminimum_mappable_uid = 131072\nminimum_mappable_gid = 131073\n") { node in
      for directory in [node.scratch, node.root] { try Files.setMode(directory, 0o711) }
      func range(_ host: UInt32) -> Runtime_V1_IDMapping { .with { ($0.hostID, $0.containerID, $0.length) = (host, 0, 65_536) } }
      func config(_ user: UInt32, _ group: UInt32) throws -> Runtime_V1_PodSandboxConfig {
        try node.podConfig("mapped") {
          $0.linux.securityContext.namespaceOptions.usernsOptions = .with {
            ($0.mode, $0.uids, $0.gids) = (.pod, [range(user)], [range(group)])
          }
        }
      }
      await expectFault(.invalidArgument, "uids[0].host_id: 131071", "minimum_mappable_uid") {
        _ = try await node.run(try config(131_071, 131_073))
      }
      await expectFault(.invalidArgument, "gids[0].host_id: 131072", "minimum_mappable_gid") {
        _ = try await node.run(try config(131_072, 131_072))
      }
      _ = try await node.run(try config(131_072, 131_073))
    }
  }
}
