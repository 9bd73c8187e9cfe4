import Core
import Linux
import Support
import Testing

@testable import Tasks

/// Attaching to running containers through a real shim and runc.
@Suite(.serialized, .timeLimit(.minutes(5))) struct AttachSessionTests {
  private func running(
    _ script: String, _ change: (inout ContainerPlan) -> Void = { _ in }, _ body: (ShimPod, String, String) async throws -> Void
  ) async throws {
    try await PodBench.run { bench in
      try await bench.withRunning(["/bin/busybox", "sh", "-c", script], change) { pod, _, id in
        let pod = try #require(pod as? ShimPod)
        let before = Streams.open(pod.shimPID)
        try await body(pod, id, "\(bench.scratch)/\(id).log")
        try await eventually("the shim's descriptors are not more than before") { Streams.open(pod.shimPID) <= before }
      }
    }
  }

  private func plan(_ id: String, stdin: Bool = false, tail: Int = 0) -> AttachPlan {
    var plan = AttachPlan(container: id)
    plan.stdin = stdin
    plan.tail = tail
    return plan
  }

  private func log(_ path: String) throws -> String { String(decoding: try Files.read(path), as: UTF8.self) }

  @Test func severalClientsSeeWhatTheLogSees() async throws {
    try await running("read go; echo out; echo err >&2; read end", { $0.stdin = true }) { pod, id, path in
      let first = try await pod.attach(plan(id, stdin: true))
      let second = try await pod.attach(plan(id))
      let (one, two) = (Streams(first), Streams(second))
      await Streams.write(one.stdin, "go\n")
      for streams in [one, two] {
        #expect(await Streams.read(streams.stdout, until: "out\n") == "out\n")
        #expect(await Streams.read(streams.stderr, until: "err\n") == "err\n")
      }
      two.closeAll()
      await second.end()
      await Streams.write(one.stdin, "end\n")
      #expect(try await first.exit().exitCode == 0)
      #expect(await Streams.all(one.stdout).isEmpty)
      one.closeAll()
      await first.end()
      #expect(try log(path).contains(" stdout F out\n") && log(path).contains(" stderr F err\n"))
    }
  }

  @Test func theLastLinesOfTheLogComeFirst() async throws {
    let script = "for i in 1 2 3 4 5; do echo line $i; echo no $i >&2; done; printf prompt; read go; echo gone; read end"
    try await running(script, { $0.stdin = true }) { pod, id, path in
      try await eventually("all is logged") { try log(path).contains("no 5") }
      try await eventually("on both pipes") { try log(path).contains("line 5") }
      var wanted = plan(id, stdin: true, tail: 2)
      wanted.stderr = false
      let session = try await pod.attach(wanted)
      let streams = Streams(session)
      await Streams.write(streams.stdin, "\n")
      #expect(await Streams.read(streams.stdout, until: "gone\n") == "line 4\nline 5\npromptgone\n")
      streams.closeAll()
      await session.end()
    }
  }

  @Test func stdinOnceEndsWithItsFirstClientAndOtherwiseStaysOpen() async throws {
    try await running("busybox cat; echo over; busybox sleep 1000", { ($0.stdin, $0.stdinOnce) = (true, true) }) { pod, id, _ in
      let session = try await pod.attach(plan(id, stdin: true))
      let streams = Streams(session)
      await Streams.write(streams.stdin, "hello\n")
      streams.close(streams.stdin)
      #expect(await Streams.read(streams.stdout, until: "over\n") == "hello\nover\n")
      streams.close(streams.stdout)
      streams.close(streams.stderr)
      await session.end()
    }
    try await running("busybox cat; echo over", { $0.stdin = true }) { pod, id, _ in
      for word in ["one\n", "two\n"] {
        let session = try await pod.attach(plan(id, stdin: true))
        let streams = Streams(session)
        await Streams.write(streams.stdin, word)
        #expect(await Streams.read(streams.stdout, until: word) == word)
        streams.closeAll()
        await session.end()
      }
      #expect(try await pod.states().first?.phase == .running)
    }
  }

  @Test func aTerminalIsTypedIntoAndHasASize() async throws {
    let script = "while read line; do busybox stty size; echo got $line; done"
    try await running(script, { ($0.stdin, $0.terminal) = (true, true) }) { pod, id, path in
      let session = try await pod.attach(plan(id, stdin: true))
      let streams = Streams(session)
      try await session.resize(columns: 91, rows: 17)
      await Streams.write(streams.stdin, "x\n")
      let said = await Streams.read(streams.stdout, until: "got x\r\n")
      #expect(said.contains("17 91\r\n"), "\(said)")
      streams.closeAll()
      await session.end()
      #expect(try log(path).contains(" stdout F got x\r\n"))
    }
  }

  @Test func aReaderThatDoesNotReadHoldsNobodyAndIsToldWhatItMissed() async throws {
    let script = "read go; busybox seq 1 400000; echo last >&2; read more; echo again; read end"
    try await running(script, { $0.stdin = true }) { pod, id, path in
      let session = try await pod.attach(plan(id, stdin: true))
      let streams = Streams(session)
      await Streams.write(streams.stdin, "go\n")
      #expect(await Streams.read(streams.stderr, until: "last\n") == "last\n")
      #expect(try log(path).contains(" stdout F 400000\n"))
      let start = await Streams.read(streams.stdout, until: "bytes left out: the reader is too slow]\r\n")
      #expect(start.hasPrefix("1\n2\n3\n"))
      await Streams.write(streams.stdin, "more\n")
      #expect(await Streams.read(streams.stdout, until: "again\n") == "again\n")
      streams.closeAll()
      await session.end()
    }
  }

  /// The log is a FIFO that is full, which holds up its thread: both the attach and what it led to are there when that goes on.
  @Test func whatIsSaidAfterTheAnswerIsSeenHoweverLateTheLogThreadIs() async throws {
    let script = "busybox seq 3000; read go; echo gone; echo >&2; : > /said; read more; echo again; read end"
    var log: Int32 = -1
    let prepare = { (plan: inout ContainerPlan) in
      plan.stdin = true
      try? Fifo.make(plan.logPath)
      log = (try? Fifo.both(plan.logPath).release()) ?? -1
    }
    try await running(script, prepare) { pod, id, path in
      defer { _ = FileHandle(owning: log) }
      try await eventually("the log is full") { PendingBytes.of(log) > 60_000 }
      let session = try await pod.attach(plan(id, stdin: true))
      let streams = Streams(session)
      await Streams.write(streams.stdin, "go\n")
      try await eventually("the container has answered") { Files.exists(Files.parent(of: path) + "/upper-\(id)/said") }
      _ = await Streams.read(log, until: " stderr F \n")
      #expect(await Streams.read(streams.stdout, until: "gone\n").hasSuffix("gone\n"))
      #expect(await Streams.read(streams.stderr, until: "\n") == "\n")
      await Streams.write(streams.stdin, "more\n")
      #expect(await Streams.read(streams.stdout, until: "again\n") == "again\n")
      streams.closeAll()
      await session.end()
    }
  }

  @Test func refusalsSayWhy() async throws {
    try await running("busybox sleep 1000") { pod, id, _ in
      let noInput = await #expect(throws: Fault.self) { _ = try await pod.attach(plan(id, stdin: true)) }
      #expect(noInput?.code == .failedPrecondition && noInput?.message.contains("has no stdin") == true)
      let stranger = await #expect(throws: Fault.self) { _ = try await pod.attach(plan("stranger")) }
      #expect(stranger?.code == .notFound)
      let left = try Files.list(pod.client.files.directory)
      #expect(left.allSatisfy { !$0.hasPrefix("attach-") })
    }
  }
}
