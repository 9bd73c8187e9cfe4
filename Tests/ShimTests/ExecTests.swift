import FoundationEssentials
import Linux
import ShimAPI
import SwiftProtobuf
import TTRPC
import Testing

/// Commands in a running container.
@Suite(.serialized) struct ExecTests {
  @Test func outputAndExitCodeComeBack() async throws {
    try await TestPod.with { pod in
      try await pod.withRunning { id in
        let answer = try await pod.exec(id, "echo out; echo err >&2; exit 9")
        #expect(answer.stdout == .init("out\n".utf8) && answer.stderr == .init("err\n".utf8))
        #expect(answer.exitCode == 9 && !answer.timedOut)
      }
    }
  }

  @Test func aMissingBinaryIsAnErrorInTheRuntimesWords() async throws {
    try await TestPod.with { pod in
      try await pod.withRunning { id in
        let message = await pod.expect(code: 9) { _ = try await pod.exec(id, ["no-such-command"]) }
        #expect(message.hasPrefix("OCI runtime exec failed: ") && message.contains("executable file not found"))
      }
    }
  }

  @Test func aTimeoutKillsAllThatTheExecStarted() async throws {
    try await TestPod.with { pod in
      try await pod.withRunning { id in
        let begin = ContinuousClock.now
        let answer = try await pod.exec(id, "echo said; sleep 4331 & setsid sleep 4332 & sleep 4333", timeout: .milliseconds(500))
        #expect(answer.timedOut && answer.exitCode == 137 && answer.stdout == .init("said\n".utf8))
        #expect(ContinuousClock.now - begin < .seconds(5))
        for number in 4331...4333 { #expect(!pod.isRunning("sleep \(number)")) }
      }
    }
  }

  @Test func aChildThatHoldsTheOutputIsNotWaitedFor() async throws {
    try await TestPod.with { pod in
      try await pod.withRunning { id in
        let begin = ContinuousClock.now
        let answer = try await pod.exec(id, "sleep 4334 & echo said")
        #expect(answer.stdout == .init("said\n".utf8) && answer.exitCode == 0)
        #expect(ContinuousClock.now - begin < .seconds(5))
        #expect(pod.isRunning("sleep 4334"))
      }
    }
  }

  @Test func execsRunBesideEachOtherAndLeaveNoDescriptor() async throws {
    try await TestPod.with { pod in
      try await pod.withRunning { id in
        _ = try await pod.exec(id, "true")
        let before = try Files.list("/proc/\(pod.shim.pid)/fd").count
        try await withThrowingTaskGroup { group in
          for number in 0..<20 {
            group.addTask {
              let answer = try await pod.exec(id, "echo \(number); exit \(number)")
              #expect(answer.stdout == .init("\(number)\n".utf8) && answer.exitCode == UInt32(number))
            }
          }
          try await group.waitForAll()
        }
        #expect(try Files.list("/proc/\(pod.shim.pid)/fd").count == before)
      }
    }
  }

  @Test func aCallerThatGoesAwayTakesItsExecAlong() async throws {
    try await TestPod.with { pod in
      try await pod.withRunning { id in
        let other = try await TestPod.connect(pod.directory)
        try await pod.create("e1", in: id, ["sleep", "4335"], other)
        try await pod.startExec("e1", id, other)
        try await pod.eventually("the exec's process") { pod.isRunning("sleep 4335") }
        other.close()
        try await pod.eventually("its end") { !pod.isRunning("sleep 4335") }
      }
    }
  }

  @Test func anExecInAContainerThatDoesNotRunIsRefused() async throws {
    try await TestPod.with { pod in
      let (id, _) = try await pod.run(TestContainer("true"))
      await pod.expect(code: 9) { _ = try await pod.exec(id, "true") }
      await pod.expect(code: 5) { _ = try await pod.exec("nobody", "true") }
      try await pod.delete(id)
    }
  }
}
