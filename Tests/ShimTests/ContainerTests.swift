import Linux
import ShimAPI
import SwiftProtobuf
import Testing

/// Containers from create to delete, with the real runc.
@Suite(.serialized) struct ContainerTests {
  @Test func exitCodesComeThroughWaitListAndRecord() async throws {
    try await TestPod.with { pod in
      let (id, code) = try await pod.run(.shell("exit 7"))
      #expect(code == 7)
      let listed = try #require(try await pod.list().containers.first)
      #expect(listed.phase == .stopped && listed.exitCode == 7 && listed.finishedAt >= listed.startedAt && listed.startedAt > 0)
      let record = String(decoding: try Files.read("\(pod.directory)/exits/\(id)"), as: UTF8.self)
      #expect(record.hasPrefix(#"{"exitCode":7,"finishedAt":\#(listed.finishedAt),"oomKilled":false,"reason":"""#))
      try await pod.delete(id)
      await pod.expect(code: 5) { try await pod.delete(id) }
    }
  }

  @Test func signalsReachInitAndAnEndedContainerHasNoProcess() async throws {
    try await TestPod.with { pod in
      let id = try await pod.create(.shell("trap 'exit 3' TERM; echo ready; while true; do sleep 0.05; done"))
      try await pod.start(id)
      try await pod.eventually("ready") { try pod.said(id) == "ready\n" }
      await pod.expect(code: 9) { try await pod.delete(id) }
      try await pod.kill(id, 15)
      #expect(try await pod.wait(id) == 3)
      await pod.expect(code: 5) { try await pod.kill(id, 9) }
      try await pod.delete(id)
    }
  }

  @Test func aKillBeforeStartEndsTheContainerAndStartSaysSo() async throws {
    try await TestPod.with { pod in
      let id = try await pod.create(TestContainer("sleep", "1000"))
      try await pod.kill(id)
      #expect(try await pod.wait(id) == 137)
      await pod.expect(code: 9) { try await pod.start(id) }
      try await pod.delete(id)
      let unstarted = try await pod.create(TestContainer("sleep", "1000"))
      try await pod.delete(unstarted)
    }
  }

  @Test func aCommandThatDoesNotExistIsAStartErrorInTheRuntimesWords() async throws {
    try await TestPod.with { pod in
      let id = try await pod.create(TestContainer("no-such-command"))
      let message = await pod.expect(code: 9) { try await pod.start(id) }
      #expect(message.contains(#"exec: "no-such-command": executable file not found in $PATH"#))
      let listed = try #require(try await pod.list().containers.first)
      #expect(listed.phase == .stopped && listed.exitCode == 128 && listed.reason == "StartError" && listed.message == message)
      #expect(try await pod.wait(id) == 128)
      try await pod.delete(id)
    }
  }

  @Test func theSameCreateAgainJoinsAndAnotherOneIsRefused() async throws {
    try await TestPod.with { pod in
      try await pod.withRunning { id in
        let request = Containerd_Task_V3_CreateTaskRequest.with { $0.id = id }
        await pod.expect(code: 9) { let _: Containerd_Task_V3_CreateTaskResponse = try await pod.task("Create", request) }
        await pod.expect(code: 9) { try await pod.start(id) }
      }
    }
  }

  @Test func aProcessKilledForMemoryIsReported() async throws {
    try await TestPod.with { pod in
      var container = TestContainer.shell("x=a; while true; do x=$x$x; done")
      container.memory = 16 << 20
      let (id, code) = try await pod.run(container)
      #expect(code == 137)
      #expect(try await pod.list().containers.first?.oomKilled == true)
      try await pod.delete(id)
      let (plain, _) = try await pod.run(.shell("kill -9 $$"))
      #expect(try await pod.list().containers.first?.oomKilled == false)
      try await pod.delete(plain)
    }
  }

  @Test func aTerminalIsHandedOverAndResized() async throws {
    try await TestPod.with { pod in
      var container = TestContainer.shell("while [ \"$(stty size)\" != '24 80' ]; do sleep 0.02; done; stty size; ls -l /proc/self/fd/0")
      container.terminal = true
      let id = try await pod.create(container)
      try await pod.start(id)
      let size = Containerd_Task_V3_ResizePtyRequest.with {
        $0.id = id
        $0.width = 80
        $0.height = 24
      }
      let _: Containerd_V1_Types_ProcessInfo = try await pod.task("ResizePty", size)
      #expect(try await pod.wait(id) == 0)
      #expect(try pod.said(id).contains("24 80\r\n"))
      #expect(try pod.said(id).contains("/dev/pts/0"))
      try await pod.delete(id)
    }
  }

  @Test func aPodHoldsFiftyContainers() async throws {
    try await TestPod.with { pod in
      var ids: [String] = []
      for number in 0..<50 { ids.append(try await pod.create(.shell("echo \(number); sleep 1000"))) }
      try await withThrowingTaskGroup { group in
        for id in ids { group.addTask { try await pod.start(id) } }
        try await group.waitForAll()
      }
      #expect(try await pod.list().containers.filter { $0.phase == .running }.count == 50)
      for (number, id) in ids.enumerated() { try await pod.eventually("output") { try pod.said(id) == "\(number)\n" } }
      try await withThrowingTaskGroup { group in
        for id in ids {
          group.addTask {
            try await pod.kill(id)
            #expect(try await pod.wait(id) == 137)
            try await pod.delete(id)
          }
        }
        try await group.waitForAll()
      }
      #expect(try await pod.list().containers.isEmpty)
    }
  }
}
