import Linux
import ShimAPI
import Testing

/// Runtimes that are missing, fail, or hang: everything is still answered and cleared away.
@Suite(.serialized) struct FailingRuntimeTests {
  /// runc, except where `verb` is called: then `script`.
  private func standIn(_ pod: TestPod, _ verb: String, _ script: String) throws -> String {
    let path = "\(pod.scratch)/runtime-\(verb)"
    let text = "#!/bin/sh\ncase \"$*\" in *\" \(verb) \"*) \(script);; *) exec /usr/sbin/runc \"$@\";; esac\n"
    try Files.write(text, to: path, mode: 0o755)
    return path
  }

  private func container(_ runtime: String) -> TestContainer {
    var container = TestContainer("sleep", "1000")
    container.runtime = runtime
    return container
  }

  @Test func aMissingRuntimeIsNamed() async throws {
    try await TestPod.with { pod in
      let id = try await pod.create(container("/no/such/runtime"))
      let message = await pod.expect(code: 13) { try await pod.start(id) }
      #expect(message == "OCI runtime create failed: OCI runtime /no/such/runtime: No such file or directory")
      try await pod.delete(id)
    }
  }

  @Test func aMissingLayerIsNamed() async throws {
    try await TestPod.with { pod in
      var container = TestContainer("true")
      container.lower = "/no/such/layer"
      let id = try await pod.create(container)
      let message = await pod.expect(code: 13) { try await pod.start(id) }
      #expect(message.contains("layer /no/such/layer: No such file or directory"))
      try await pod.delete(id)
    }
  }

  @Test(arguments: ["create", "start"])
  func aFailureWithoutWordsIsStillDescribed(_ verb: String) async throws {
    try await TestPod.with { pod in
      let id = try await pod.create(container(try standIn(pod, verb, "exit 5")))
      let message = await pod.expect(code: 9) { try await pod.start(id) }
      #expect(message.contains("OCI runtime \(verb) failed") && message.contains("ended with exit code 5"))
      #expect(try await pod.wait(id) == 128)
      try await pod.delete(id)
    }
  }

  @Test func aCreateThatLeavesNoProcessFails() async throws {
    try await TestPod.with { pod in
      let id = try await pod.create(container(try standIn(pod, "create", "exit 0")))
      await pod.expect(code: 13) { try await pod.start(id) }
      try await pod.delete(id)
    }
  }

  @Test func aCreateThatHangsIsEndedByAKillAndByADelete() async throws {
    try await TestPod.with { pod in
      let runtime = try standIn(pod, "create", "sleep 4341")
      let killed = try await pod.create(container(runtime))
      await pod.expect(code: 5) { try await pod.kill(killed) }
      #expect(try await pod.wait(killed) == 137)
      try await pod.delete(killed)
      let deleted = try await pod.create(container(runtime))
      try await pod.delete(deleted)
      #expect(!pod.isRunning("sleep 4341"))
    }
  }

  @Test func aStartThatHangsIsEndedByAKill() async throws {
    try await TestPod.with { pod in
      let id = try await pod.create(container(try standIn(pod, "start", "sleep 4342")))
      let started = Task { try await pod.start(id) }
      try await pod.eventually("the start") { pod.isRunning("sleep 4342") }
      try await pod.kill(id)
      #expect(try await pod.wait(id) == 137)
      await #expect(throws: (any Error).self) { try await started.value }
      try await pod.delete(id)
      #expect(!pod.isRunning("sleep 4342"))
    }
  }

  @Test(arguments: ["exit 1", "sleep 4343"])
  func aDeleteThatFailsOrHangsLeavesNothing(_ script: String) async throws {
    try await TestPod.with { pod in
      let id = try await pod.create(container(try standIn(pod, "delete", script)))
      try await pod.start(id)
      try await pod.kill(id)
      _ = try await pod.wait(id)
      try await pod.delete(id)
      #expect(!pod.isRunning("sleep 4343"))
    }
  }

  @Test func anExecThatHangsEndsAtItsTimeout() async throws {
    try await TestPod.with { pod in
      try await pod.withRunning(container(try standIn(pod, "exec", "sleep 4344"))) { id in
        let answer = try await pod.exec(id, "true", timeout: .milliseconds(300))
        #expect(answer.timedOut)
        #expect(!pod.isRunning("sleep 4344"))
      }
    }
  }

  @Test func everyFailureOfTheFirstCallsIsSurvived() async throws {
    try await TestPod.with { pod in
      let counter = pod.scratch + "/count"
      for failing in 1...4 {
        try Files.write("0", to: counter)
        let path = "\(pod.scratch)/nth-\(failing)"
        let count = "n=$(($(cat \(counter)) + 1)); echo $n > \(counter); [ $n = \(failing) ] && exit 6"
        try Files.write("#!/bin/sh\n\(count)\nexec /usr/sbin/runc \"$@\"\n", to: path, mode: 0o755)
        let id = try await pod.create(container(path))
        try? await pod.start(id)
        try? await pod.kill(id)
        _ = try await pod.wait(id)
        try await pod.delete(id)
      }
      #expect(try await pod.list().containers.isEmpty)
    }
  }
}
