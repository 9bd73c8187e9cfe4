import CRIAPI
import ContainerdAPI
import Core
import GRPC
import Support
import SwiftProtobuf
import Testing

/// What happens on a node in containerd's topics, read by containerd's own client.
@Suite(.serialized) struct TopicTests {
  @Test func `ctr sees a pod's life`() async throws {
    try await Node.with { node in
      let (ctr, own) = try await (EventPrinter.ctr(node), EventPrinter.berth(node))
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("seen"))
      let id = try await node.launch("main", ["/bin/sh", "-c", "sleep 3; exit 3"], in: pod)
      let running = try await node.exec(id, ["/bin/sh", "-c", "exit 5"])
      #expect(running.exitCode == 5)
      _ = try await node.ended(id)
      try await ctr.awaits("/tasks/delete")
      try await node.remove(container: id)
      try await node.remove(pod: pod)
      try await node.removeImage(Node.busybox)
      for printer in [ctr, own] {
        try await printer.awaits("/images/delete")
        let lines = printer.lines
        #expect(lines.allSatisfy { $0.namespace == "k8s.io" })
        let own = lines.filter { $0["container_id"] == id || $0["id"] == id || $0["key"] == id }
        #expect(
          own.map(\.topic) == [
            "/snapshot/prepare", "/containers/create", "/tasks/create", "/tasks/start", "/tasks/exec-added", "/tasks/exec-started",
            "/tasks/exit", "/tasks/exit", "/tasks/delete", "/snapshot/remove", "/containers/delete",
          ], "\(printer.text)")
        let exits = own.filter { $0.topic == "/tasks/exit" }
        #expect(exits.map { $0.content["exit_status"]?.integer } == [5, 3])
        #expect(exits[1]["id"] == id && exits[0]["id"] == own[4]["exec_id"] && own[5]["exec_id"] == own[4]["exec_id"])
        let started = try #require(own.first { $0.topic == "/tasks/start" })
        #expect((started.content["pid"]?.integer ?? 0) > 1 && exits[1].content["pid"] == started.content["pid"])
        #expect(printer.lines(of: "/images/create").contains { $0["name"] == Node.busybox })
        #expect(printer.lines(of: "/snapshot/commit").count == 1)
      }
      #expect(own.lines(of: "/sandboxes/create", "/sandboxes/start", "/sandboxes/exit").map { $0["sandbox_id"] } == [pod, pod, pod])
      #expect(own.lines(of: "/sandboxes/exit").first?.content["exit_status"]?.integer == 137)
      // Layers and documents go with the next collection of garbage.
      try await own.awaits("/content/delete")
      #expect(
        Set(own.lines(of: "/content/create").map { $0["digest"] }).isSuperset(of: own.lines(of: "/content/delete").map { $0["digest"] }))
      await ctr.end()
      await own.end()
    }
  }

  @Test func `filters are containerd's, and wrong ones are pointed at`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let ctr = try await EventPrinter.ctr(node, "topic==\"/tasks/exit\",event.exit_status==7")
      let pod = try await node.run(try node.podConfig("filtered"))
      for code in [6, 7] { _ = try await node.ended(node.launch("c\(code)", ["/bin/sh", "-c", "exit \(code)"], in: pod)) }
      try await ctr.awaits("/tasks/exit")
      #expect(ctr.lines.map(\.topic) == ["/tasks/exit"] && ctr.lines[0].content["exit_status"]?.integer == 7)
      await ctr.end()
      let wrong = try await node.commandLine("events", "topic=/tasks/exit")
      #expect(wrong.code != 0 && wrong.stderr.contains("at character 6"), "\(wrong.stderr)")
      await expectFault(.invalidArgument, "filter", "at its end") { for try await _ in try node.subscribe("topic==") {} }
    }
  }

  @Test func `what clients publish is checked, and told to all`() async throws {
    try await Node.with { node in
      let ctr = try await EventPrinter.ctr(node)
      try await node.publish("/mine/thing", in: "other", Containerd_Events_TaskOOM.with { $0.containerID = "x" })
      let line = try await ctr.awaits("/mine/thing")
      #expect(line.namespace == "other" && line["container_id"] == "x")
      await ctr.end()
      await expectFault(.failedPrecondition, "namespace is required") { try await node.publish("/mine/thing", in: nil) }
      await expectFault(.invalidArgument, "namespace") { try await node.publish("/mine/thing", in: "a b") }
      await expectFault(.invalidArgument, "topic", "must begin with") { try await node.publish("mine", in: "other") }
    }
  }

  @Test func `a container that ends after a restart is told of once, a shim's death as well`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("restarted"))
      let ids = try await [node.launch("a", ["/bin/sleep", "600"], in: pod), node.launch("b", ["/bin/sleep", "600"], in: pod)]
      try await node.restart()
      let printer = try await EventPrinter.ctr(node)
      try await node.stop(container: ids[0], timeout: 0)
      try await printer.awaits("/tasks/delete") { $0["container_id"] == ids[0] }
      try await node.killShim(of: pod)
      try await printer.awaits("/tasks/delete") { $0["container_id"] == ids[1] }
      for id in ids { try await node.remove(container: id) }
      try await printer.awaits("/containers/delete") { $0["id"] == ids[1] }
      for (id, status) in zip(ids, [137, 255]) {
        let own = printer.lines.filter { $0["container_id"] == id || $0["id"] == id }
        #expect(own.map(\.topic) == ["/tasks/exit", "/tasks/delete", "/containers/delete"], "\(printer.text)")
        #expect(own[0].content["exit_status"]?.integer == status && own[1].content["exit_status"]?.integer == status)
      }
      await printer.end()
    }
  }

  @Test func `sessions and failed starts are told as what they are`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("odd"))
      let id = try await node.launch("main", ["/bin/sleep", "600"], in: pod)
      let printer = try await EventPrinter.berth(node, "topic~=\"^/(tasks|containers)/\"")
      let session = try await node.commandLine("exec", id, "--", "/bin/sh", "-c", "exit 4")
      #expect(session.code == 4)
      try await printer.awaits("/tasks/exit") { $0.content["exit_status"]?.integer == 4 }
      #expect(printer.lines.map(\.topic) == ["/tasks/exec-added", "/tasks/exec-started", "/tasks/exit"], "\(printer.text)")
      await #expect(throws: GRPCStatus.self) { _ = try await node.exec(id, ["/nothing"]) }
      let broken = try await node.create(node.containerConfig("broken", ["/nothing"]), in: pod)
      await #expect(throws: GRPCStatus.self) { try await node.start(container: broken) }
      try await node.remove(container: broken)
      try await printer.awaits("/containers/delete") { $0["id"] == broken }
      #expect(
        printer.lines.filter { $0["container_id"] == broken || $0["id"] == broken }.map(\.topic) == [
          "/containers/create", "/containers/delete",
        ])
      #expect(printer.lines(of: "/tasks/exit").count == 1, "\(printer.text)")
      await printer.end()
    }
  }

  @Test func `labels of the image are containerd's, not the CRI's`() async throws {
    try await Node.with { node in
      try await node.importBusybox(
        "--label", "both=image", "--label", "own=image", "--label", "large=" + String(repeating: "x", count: 5000))
      let pod = try await node.run(try node.podConfig("labelled"))
      var ids: [String] = []
      for name in ["a", "b"] { ids.append(try await node.launch(name, ["/bin/sleep", "600"], in: pod) { $0.labels = ["both": "cri"] }) }
      try await node.restart()
      let printer = try await EventPrinter.ctr(node, "topic==\"/containers/update\",event.labels.own==image")
      let update = Runtime_V1_UpdateContainerResourcesRequest.with { ($0.containerID, $0.linux.cpuShares) = (ids[0], 200) }
      let _: Runtime_V1_UpdateContainerResourcesResponse = try await node.runtime("UpdateContainerResources", update)
      let told = try await printer.awaits("/containers/update")
      #expect(told["id"] == ids[0] && told.content["labels"]?["both"]?.string == "cri")
      await printer.end()
      #expect(try await node.status(container: ids[0]).labels == ["both": "cri"])
      let inspected = try JSON(parsing: Array(try await node.commandLine("inspect", ids[0]).stdout.utf8))
      let info = try JSON(parsing: Array(try #require(inspected["info"]?["info"]?.string).utf8))
      #expect(info["containerdLabels"]?.members?.map(\.key).sorted() == ["both", "io.cri-containerd.kind", "own"])
      #expect(node.daemonLog().split(separator: "\n").filter { $0.contains("do not get its label") }.count == 1)
    }
  }

  @Test func `one that does not read is ended, and berthd goes on`() async throws {
    try await Node.with(settings: "[events]\nqueue_length = 16\n") { node in
      let stream = try node.subscribe()
      var iterator = stream.makeAsyncIterator()
      let large = Containerd_Events_ContainerUpdate.with { $0.labels = ["a": String(repeating: "a", count: 1 << 20)] }
      for _ in 0..<60 { try await node.publish("/mine/large", in: "other", large) }
      await expectFault(.resourceExhausted, "missed") { while try await iterator.next() != nil {} }
      try await node.publish("/mine/large", in: "other", large)
    }
  }
}
