import CRIAPI
import ContainerdAPI
import Core
import Linux
import Support
import SwiftProtobuf
import TTRPC
import Testing

/// What shims of others send to berthd, as containerd's publisher does.
@Suite(.serialized) struct ShimEventTests {
  private func publisher(_ node: Node) async throws -> TTRPCClient {
    try await TTRPCClient.adopt(socket: try UnixSocket.connect(in: node.state, name: "events.ttrpc").release())
  }

  private func forward(
    _ client: TTRPCClient, _ topic: String, _ event: some Message, in namespace: String = "k8s.io"
  ) async throws {
    let request = try Containerd_Services_Events_Ttrpc_V1_ForwardRequest.with {
      $0.envelope.namespace = namespace
      $0.envelope.topic = topic
      $0.envelope.timestamp = .init(seconds: SystemClock.realtimeNanoseconds() / 1_000_000_000, nanos: 1)
      ($0.envelope.event.typeURL, $0.envelope.event.value) = (type(of: event).protoMessageName, try event.serializedData())
    }
    let _: Google_Protobuf_Empty = try await client.call(
      "containerd.services.events.ttrpc.v1.Events", "Forward", request, timeout: .seconds(10))
  }

  @Test func `a shim's events are told, those of Berth's own containers once`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("foreign"))
      let id = try await node.launch("main", ["/bin/sleep", "600"], in: pod)
      let (printer, shim) = try await (EventPrinter.ctr(node), publisher(node))
      let mode = try await Command.run("/usr/bin/stat", ["-c", "%a", node.state + "/events.ttrpc"], timeout: .seconds(10)).stdout
      #expect(mode == Array("600\n".utf8))
      try await forward(shim, "/tasks/start", Containerd_Events_TaskStart.with { ($0.containerID, $0.pid) = (id, 99) })
      try await forward(shim, "/tasks/exit", Containerd_Events_TaskExit.with { ($0.containerID, $0.id) = (id, id) })
      try await forward(shim, "/tasks/paused", Containerd_Events_TaskPaused.with { $0.containerID = id })
      try await forward(shim, "/tasks/start", Containerd_Events_TaskStart.with { ($0.containerID, $0.pid) = (pod, 98) })
      try await forward(shim, "/tasks/exit", Containerd_Events_TaskExit.with { $0.containerID = "x" }, in: "other")
      try await printer.awaits("/tasks/exit")
      #expect(printer.lines.map(\.topic) == ["/tasks/paused", "/tasks/start", "/tasks/exit"], "\(printer.text)")
      #expect(printer.lines.map { $0["container_id"] } == [id, pod, "x"] && printer.lines[2].namespace == "other")
      try await node.remove(container: id)
      try await forward(shim, "/tasks/delete", Containerd_Events_TaskDelete.with { $0.containerID = id })
      try await node.publish("/mine/end", in: "other")
      try await printer.awaits("/mine/end")
      #expect(printer.lines(of: "/tasks/delete").count == 1, "\(printer.text)")
      shim.close()
      await printer.end()
    }
  }

  @Test func `containerd's own shim is heard, and containerd's own publisher`() async throws {
    try await Node.with { node in
      let (printer, shim) = try await (EventPrinter.ctr(node), ForeignShim.start(node, id: "outsider"))
      do { try await shim.live() } catch {
        await shim.end()
        throw error
      }
      try await printer.awaits("/tasks/delete")
      await shim.end()
      let told = printer.lines.filter { $0.namespace == ForeignShim.namespace }
      #expect(told.map(\.topic) == ["/tasks/create", "/tasks/start", "/tasks/exit", "/tasks/delete"], "\(printer.text)")
      #expect(told.allSatisfy { $0["container_id"] == "outsider" } && told[2].content["exit_status"]?.integer == 137)
      let event = try Google_Protobuf_Any.with {
        ($0.typeURL, $0.value) = ("containerd.events.TaskOOM", try Containerd_Events_TaskOOM.with { $0.containerID = "y" }.serializedData())
      }
      let published = try await Command.run(
        "/usr/bin/containerd", ["--address", node.socket, "publish", "--topic", "/tasks/oom", "--namespace", "mine"],
        environment: ["PATH=/usr/sbin:/usr/bin"], input: try event.serializedBytes(), timeout: .seconds(20))
      #expect(published.succeeded, "\(String(decoding: published.stderr, as: UTF8.self))")
      #expect(try await printer.awaits("/tasks/oom") { $0.namespace == "mine" }["container_id"] == "y")
      await printer.end()
    }
  }

  @Test func `what a shim cannot mean is refused, and it goes on`() async throws {
    try await Node.with { node in
      let shim = try await publisher(node)
      let event = Containerd_Events_TaskOOM.with { $0.containerID = "x" }
      for (topic, namespace) in [("tasks", "k8s.io"), ("/tasks/oom", ""), ("/tasks/oom", "a b")] {
        let error = await #expect(throws: TTRPCError.self) { try await forward(shim, topic, event, in: namespace) }
        #expect(error?.code == 3, "\(error?.message ?? "")")
      }
      let error = await #expect(throws: TTRPCError.self) {
        try await forward(shim, "/tasks/oom", Containerd_Events_ContentDelete.with { $0.digest = "x" })
      }
      #expect(error?.code == 3 && error?.message.contains("no message of a task") == true)
      try await forward(shim, "/tasks/oom", event)
      shim.close()
      try await node.restart()
      let again = try await publisher(node)
      try await forward(again, "/tasks/oom", event)
      again.close()
    }
  }

  @Test func `a container that ends by SIGKILL after its shim said that memory ran out is OOMKilled`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("starved"))
      let long = "trap 'exit 4' TERM; sleep 600 & wait"
      let commands = ["said": long, "survived": long, "late": "exit 137"]
      var ids: [String: String] = [:]
      let (printer, shim) = try await (EventPrinter.ctr(node, "topic~=\"^/tasks/(oom|exit)$\""), publisher(node))
      for (name, command) in commands { ids[name] = try await node.launch(name, ["/bin/sh", "-c", command], in: pod) }
      for name in ["said", "survived"] {
        try await forward(shim, "/tasks/oom", Containerd_Events_TaskOOM.with { $0.containerID = ids[name]! })
      }
      try await node.stop(container: ids["said"]!, timeout: 0)
      try await node.stop(container: ids["survived"]!)
      #expect(try await node.status(container: ids["said"]!).reason == "OOMKilled")
      #expect(try await node.status(container: ids["survived"]!).reason == "Error")
      #expect(try await node.ended(ids["late"]!).reason == "Error")
      try await forward(shim, "/tasks/oom", Containerd_Events_TaskOOM.with { $0.containerID = ids["late"]! })
      try await eventually("the reason changes") { try await node.status(container: ids["late"]!).reason == "OOMKilled" ? true : nil }
      try await printer.awaits("/tasks/oom") { $0["container_id"] == ids["late"] }
      let said = printer.lines.filter { $0["container_id"] == ids["said"] }.map(\.topic)
      #expect(said == ["/tasks/oom", "/tasks/exit"] && printer.lines(of: "/tasks/oom").count == 2, "\(printer.text)")
      shim.close()
      await printer.end()
    }
  }
}
