import CRIAPI
import Core
import GRPC
import Linux
import ShimAPI
import SwiftProtobuf
import TTRPC
import Testing

/// Containers that end and are deleted behind a dead berthd's back, by whoever else speaks to their shim.
@Suite(.serialized, .timeLimit(.minutes(2))) struct LostContainerTests {
  private func end(_ container: String, in sandbox: String) async throws {
    let client = try await TTRPCClient.adopt(socket: try UnixSocket.connect(in: sandbox, name: "shim.sock").release())
    func call<Answer: Message>(_ method: String, _ request: some Message, _: Answer.Type) async throws {
      let _: Answer = try await client.call("containerd.task.v3.Task", method, request, timeout: .seconds(20))
    }
    try await call(
      "Kill", Containerd_Task_V3_KillRequest.with { ($0.id, $0.signal) = (container, 9) }, Google_Protobuf_Empty.self)
    try await call("Wait", Containerd_Task_V3_WaitRequest.with { $0.id = container }, Containerd_Task_V3_WaitResponse.self)
    try await call("Delete", Containerd_Task_V3_DeleteRequest.with { $0.id = container }, Containerd_Task_V3_DeleteResponse.self)
    client.close()
  }

  @Test func `one that left a record has ended as that says, one that left none has ended for a reason that is Unknown`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("lost") { $0.linux.securityContext.namespaceOptions.network = .node })
      let ids = [
        try await node.launch("recorded", ["sleep", "1000"], in: pod), try await node.launch("lost", ["sleep", "1000"], in: pod),
        try await node.launch("steady", ["sleep", "1000"], in: pod),
      ]
      let sandbox = "\(node.state)/sandboxes/\(pod)"
      try await node.kill()
      for id in ids.prefix(2) { try await end(id, in: sandbox) }
      try Files.remove("\(sandbox)/exits/\(ids[1])")
      try await node.start()
      let (recorded, lost) = (try await node.ended(ids[0]), try await node.ended(ids[1]))
      #expect(recorded.exitCode == 137 && recorded.reason == "Error" && recorded.finishedAt > recorded.startedAt)
      #expect(lost.exitCode == 255 && lost.reason == "Unknown" && lost.message == "the shim does not know the container any more")
      #expect(lost.finishedAt > lost.startedAt)
      #expect(try await node.status(container: ids[2]).state == .containerRunning)
      for id in ids.prefix(2) { try await node.remove(container: id) }
      #expect(try await node.containers().map(\.id) == [ids[2]])
      #expect(try await node.status(pod: pod).state == .sandboxReady)
    }
  }
}
