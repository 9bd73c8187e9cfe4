import CRIAPI
import Core
import GRPC
import Linux
import Support
import SwiftProtobuf
import Testing

/// Seccomp profiles of the node whose calls an agent answers for (SCMP_ACT_NOTIFY, `listenerPath`).
@Suite(.serialized, .timeLimit(.minutes(5))) struct SeccompAgentTests {
  private static let noSpace: Int32 = 28

  private func profile(_ path: String, agent: String) throws -> (inout Runtime_V1_ContainerConfig) -> Void {
    let text = #"""
      {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "\#(agent)", "listenerMetadata": "for the agent",
       "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_NOTIFY"}]}
      """#
    try Files.write(text, to: path, mode: 0o644)
    return { $0.linux.securityContext.seccomp = .with { ($0.profileType, $0.localhostRef) = (.localhost, path) } }
  }

  @Test(arguments: ["runc", "crun"]) func `an agent answers for a container and its execs, and is told what its profile says`(
    _ runtime: String
  ) async throws {
    try await withScratch("agent") { scratch in
      let change = try profile(scratch + "/profile.json", agent: scratch + "/agent")
      try await Node.with(runtime: runtime, settings: "") { node in
        try await node.importBusybox()
        let pod = try await node.run(try node.podConfig("asking") { $0.linux.securityContext.namespaceOptions.network = .node })
        try await SeccompAgent.with(at: scratch + "/agent", error: Self.noSpace) { agent in
          let id = try await node.launch("main", ["sh", "-c", "mkdir /a 2>&1; exec sleep 1000"], in: pod, change)
          try await eventually("it was answered") { try await node.log(id, of: pod).contains("No space left on device") ? true : nil }
          let exec = try await node.exec(id, ["mkdir", "/b"])
          #expect(String(decoding: exec.stderr, as: UTF8.self).contains("No space left on device") && exec.exitCode == 1, "\(exec)")
          #expect(agent.answers >= 2 && agent.states.count >= 2)
          #expect(agent.states.allSatisfy { $0.contains(#""for the agent""#) && $0.contains(id) }, "\(agent.states)")
          try await node.stop(container: id, timeout: 0)
          try await node.remove(container: id)
        }
      }
    }
  }

  @Test func `an agent that is not there, or does not listen, is named, and nothing is left of the container`() async throws {
    try await withScratch("agent") { scratch in
      try await Node.with { node in
        try await node.importBusybox()
        let pod = try await node.run(try node.podConfig("unanswered") { $0.linux.securityContext.namespaceOptions.network = .node })
        let absent = try profile(scratch + "/absent.json", agent: scratch + "/none")
        await expectFault(.failedPrecondition, "seccomp.localhost_ref", "listenerPath \(scratch)/none", "nothing is there") {
          _ = try await node.launch("absent", ["true"], in: pod, absent)
        }
        #expect(try await node.containers().isEmpty)
        try Files.write("", to: scratch + "/file")
        let deaf = try profile(scratch + "/deaf.json", agent: scratch + "/file")
        await expectFault(.failedPrecondition, scratch + "/file") { _ = try await node.launch("deaf", ["true"], in: pod, deaf) }
      }
    }
  }
}
