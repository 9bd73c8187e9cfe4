import Core
import Linux
import Support
import Testing

@testable import Tasks

/// Exec sessions through a real shim and runc.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ExecSessionTests {
  typealias Body = (ShimPod, String) async throws -> Void

  /// A pod with a sleeping container.
  private func inPod(_ body: Body) async throws {
    try await PodBench.run { bench in
      try await bench.withRunning(["/bin/busybox", "sleep", "1000"]) { pod, _, id in
        let pod = try #require(pod as? ShimPod)
        let before = Streams.open(pod.shimPID)
        try await body(pod, id)
        try await eventually("the shim's descriptors are those from before") { Streams.open(pod.shimPID) == before }
      }
    }
  }

  private func plan(_ id: String, _ script: String, terminal: Bool = false, stdin: Bool = false) -> ExecSessionPlan {
    let process = RuntimeConfig.process(["/bin/busybox", "sh", "-c", script], terminal: terminal)
    var plan = ExecSessionPlan(container: id, process: Array(process.utf8))
    plan.terminal = terminal
    plan.stdin = stdin
    return plan
  }

  @Test func bytesGoBothWaysAndClosingStdinIsItsEnd() async throws {
    try await inPod { pod, id in
      let session = try await pod.exec(plan(id, "busybox cat; echo err >&2; exit 7", stdin: true))
      let streams = Streams(session)
      let sent = (0..<(8 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 16) }
      async let received = Streams.all(streams.stdout)
      #expect(await Streams.write(streams.stdin, sent))
      streams.close(streams.stdin)
      #expect(await received == sent)
      #expect(await Streams.all(streams.stderr) == Array("err\n".utf8))
      let end = try await session.exit()
      #expect(end.exitCode == 7 && end.finishedAt > 0)
      streams.close(streams.stdout)
      streams.close(streams.stderr)
      await session.end()
      await session.end()
    }
  }

  @Test func aTerminalCarriesOneStreamHasASizeAndHangsUpAtTheEnd() async throws {
    try await inPod { pod, id in
      let session = try await pod.exec(plan(id, "read go; busybox stty size; exit 3", terminal: true, stdin: true))
      let streams = Streams(session)
      try await session.resize(columns: 132, rows: 43)
      await Streams.write(streams.stdin, "go\n")
      let said = String(decoding: await Streams.all(streams.stdout), as: UTF8.self)
      #expect(said.contains("43 132\r\n"))
      #expect(try await session.exit().exitCode == 3)
      #expect(streams.stderr == -1)
      streams.closeAll()
      await session.end()
    }
  }

  @Test func aChildThatHoldsThePipeDoesNotHoldTheSession() async throws {
    try await inPod { pod, id in
      let session = try await pod.exec(plan(id, "busybox sleep 77 & echo done; exit 4"))
      let streams = Streams(session)
      #expect(try await session.exit().exitCode == 4)
      #expect(await Streams.read(streams.stdout, until: "done\n") == "done\n")
      streams.closeAll()
      await session.end()
      // It was left running, as after any shell; the container's end is its end.
      try await eventually("it runs") { ProcessTable.all().contains { ProcessTable.commandLine($0) == "busybox sleep 77" } }
    }
  }

  @Test func aCommandThatIsMissingIsRefusedInTheRuntimesWords() async throws {
    try await inPod { pod, id in
      let missing = ExecSessionPlan(container: id, process: Array(RuntimeConfig.process(["/no/such"]).utf8))
      for terminal in [false, true] {
        var plan = missing
        if terminal { plan.process = Array(RuntimeConfig.process(["/no/such"], terminal: true).utf8) }
        plan.terminal = terminal
        let fault = await #expect(throws: Fault.self) { _ = try await pod.exec(plan) }
        #expect(fault?.code == .failedPrecondition && fault?.message.contains("no such file") == true, "\(String(describing: fault))")
      }
      try await expectNoFiles(pod)
    }
  }

  @Test func theClientsEndIsHangupAndKillForWhoIgnoresIt() async throws {
    try await inPod { pod, id in
      let gentle = try await pod.exec(
        plan(
          id,
          "busybox sh -c 'busybox setsid busybox sleep 77 &'; trap 'echo bye; exit 5' HUP; echo up; while :; do busybox sleep 0.01; done"))
      let streams = Streams(gentle)
      _ = await Streams.read(streams.stdout, until: "up\n")
      async let gentleEnd = gentle.exit()
      await gentle.end()
      #expect(try await gentleEnd.exitCode == 5)
      streams.closeAll()
      try await eventually("what it detached is gone, too") {
        !ProcessTable.all().contains { ProcessTable.commandLine($0) == "busybox sleep 77" }
      }

      let stubborn = try await pod.exec(plan(id, "trap '' HUP; echo up; busybox sleep 78"))
      let others = Streams(stubborn)
      _ = await Streams.read(others.stdout, until: "up\n")
      async let end = stubborn.exit()
      await stubborn.end()
      #expect(try await end.exitCode == 137)
      others.closeAll()
      #expect(!ProcessTable.all().contains { ProcessTable.commandLine($0) == "busybox sleep 78" })
    }
  }

  @Test func whatACommandLeavesBehindAtItsOwnEndGoesOn() async throws {
    try await inPod { pod, id in
      let session = try await pod.exec(plan(id, "busybox setsid busybox sleep 76 >/dev/null 2>&1 </dev/null & exit 0"))
      #expect(try await session.exit().exitCode == 0)
      await session.end()
      // It may not have come as far as its own program yet.
      try await eventually("it goes on") { ProcessTable.all().contains { ProcessTable.commandLine($0) == "busybox sleep 76" } }
    }
  }

  @Test func aLostConnectionOrADroppedSessionEndsItsProcess() async throws {
    try await inPod { pod, id in
      for isDropped in [true, false] {
        do {
          let session = try await pod.exec(plan(id, "busybox sleep 79", terminal: isDropped))
          if !isDropped {
            try await pod.client.dropConnection()
            await session.end()
          }
        }
        try await eventually("its process is gone") { !ProcessTable.all().contains { ProcessTable.commandLine($0) == "busybox sleep 79" } }
      }
      try await expectNoFiles(pod)
    }
  }

  @Test func manySessionsAtOnceLeaveNothingInTheShim() async throws {
    try await inPod { pod, id in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for index in 0..<20 {
          group.addTask {
            let session = try await pod.exec(plan(id, "busybox cat; exit \(index)", stdin: true))
            let streams = Streams(session)
            await Streams.write(streams.stdin, "\(index)")
            streams.close(streams.stdin)
            #expect(await Streams.all(streams.stdout) == Array("\(index)".utf8))
            #expect(try await session.exit().exitCode == index)
            streams.close(streams.stdout)
            streams.close(streams.stderr)
            await session.end()
          }
        }
        try await group.waitForAll()
      }
      try await expectNoFiles(pod)
    }
  }

  private func expectNoFiles(_ pod: ShimPod) async throws {
    try await eventually("no file of an exec is left") { try Files.list(pod.client.files.directory).allSatisfy { !$0.hasPrefix("exec-") } }
  }
}

/// ExecSync through a real shim and runc.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ExecSyncTests {
  @Test func aCancelledOrTimedOutCallTakesItsProcessesAlong() async throws {
    try await PodBench.run { bench in
      try await bench.withRunning(["/bin/busybox", "sleep", "1000"]) { pod, plan, id in
        // The last but one has neither its parent nor its session.
        let orphan = "busybox sh -c 'busybox setsid busybox sleep 84 &'"
        let script = "busybox sleep 81 & busybox setsid busybox sleep 82 & \(orphan); busybox sleep 83"
        func call(_ timeout: Int64) async throws -> ExecResult {
          let process = RuntimeConfig.process(["/bin/busybox", "sh", "-c", script])
          return try await pod.execSync(ExecPlan(container: id, process: Array(process.utf8), timeout: timeout))
        }
        let running = { (number: Int) in ProcessTable.all().contains { ProcessTable.commandLine($0) == "busybox sleep \(number)" } }
        let cancelled = Task { try await call(0) }
        try await eventually("it runs") { (81...84).allSatisfy(running) }
        cancelled.cancel()
        _ = await #expect(throws: Fault.self) { _ = try await cancelled.value }
        try await eventually("it is gone") { (81...84).allSatisfy { !running($0) } }
        #expect(try await call(300_000_000).timedOut)
        try await eventually("it is gone again") { (81...84).allSatisfy { !running($0) } }
        try await eventually("no file is left") { try Files.list(plan.directory).allSatisfy { !$0.hasPrefix("exec-") } }
      }
    }
  }
}
