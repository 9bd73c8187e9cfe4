import CRIAPI
import Core
import GRPC
import Linux
import SwiftProtobuf
import Testing

/// Stops that meet other calls.
@Suite(.serialized, .timeLimit(.minutes(5))) struct StopTests {
  @Test func `a later stop with less time ends one that waits, and the signal comes once`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("stubborn"))
      let id = try await node.launch(
        "main", ["/bin/sh", "-c", "trap 'echo asked' TERM; echo ready; while :; do sleep 0.05; done"], in: pod)
      try await eventually("the trap is set") { try await node.log(id, of: pod).contains("ready") ? true : nil }
      let patient = Task { try await node.stop(container: id, timeout: 600) }
      try await eventually("it was asked") { try await node.log(id, of: pod).contains("asked") ? true : nil }
      try await node.stop(container: id, timeout: 1)
      try await patient.value
      #expect(try await node.status(container: id).exitCode == 137)
      #expect(try await node.log(id, of: pod) == "ready\nasked\n")
    }
  }

  @Test func `a pod that is being stopped takes no container, and starts none`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("closing"))
      let waiting = try await node.create(node.containerConfig("waiting", ["/bin/sleep", "1000"]), in: pod)
      _ = try await node.launch("main", ["/bin/sleep", "1000"], in: pod)
      // A shim that does not answer holds the stop at its first step.
      let shim = try Pidfd.open(try node.shimID(of: pod))
      try shim.signal(19)
      let stopping = Task { try await node.stop(pod: pod) }
      let words = try await eventually("containers are refused") {
        let error = await #expect(throws: GRPCStatus.self) { try await create(in: pod, on: node) }
        return error?.code == .failedPrecondition ? error?.message : nil
      }
      #expect(words.contains("the sandbox is being stopped"), "\(words)")
      await expectFault(.failedPrecondition, "the sandbox is being stopped") { try await node.start(container: waiting) }
      try shim.signal(18)
      try await stopping.value
      #expect(try await node.status(pod: pod).state == .sandboxNotready)
      #expect(try await node.containers().allSatisfy { $0.state != .containerRunning })
    }
  }

  /// Gives up soon: before the stop has begun it is the shim that does not answer.
  private func create(in pod: String, on node: Node) async throws {
    let request = Runtime_V1_CreateContainerRequest.with {
      $0.podSandboxID = pod
      $0.config = node.containerConfig("late\(Int.random(in: 0..<1_000_000))", ["true"])
    }
    _ = try await node.runtime(
      "CreateContainer", request, returning: Runtime_V1_CreateContainerResponse.self, timeout: .milliseconds(500))
  }
}
