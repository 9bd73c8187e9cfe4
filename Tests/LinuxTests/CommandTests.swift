import Linux
import Support
import Testing

@Suite struct CommandTests {
  private func shell(_ script: String, input: [UInt8] = [], timeout: Duration = .seconds(20), limit: Int = 1 << 20) async throws
    -> Command.Output
  {
    try await Command.run(
      "/bin/sh", ["-c", script], environment: ["PATH=/usr/bin:/bin"], input: input, timeout: timeout, outputLimit: limit)
  }

  @Test func outputErrorAndExitCodeComeBack() async throws {
    let output = try await shell("echo out; echo err >&2; exit 3")
    #expect(output.ending == .exited(3))
    #expect(output.stdout == Array("out\n".utf8))
    #expect(output.stderr == Array("err\n".utf8))
    #expect(!output.succeeded)
  }

  @Test func inputLargerThanAPipeIsFedWhileOutputIsRead() async throws {
    let input = [UInt8](repeating: 0x61, count: 1 << 20)
    let output = try await shell("cat", input: input, limit: 2 << 20)
    #expect(output.succeeded)
    #expect(output.stdout == input)
    #expect(!output.truncated)
  }

  @Test func unreadInputIsNoError() async throws {
    let output = try await shell("exit 0", input: [UInt8](repeating: 0, count: 1 << 20))
    #expect(output.succeeded)
  }

  @Test func outputBeyondTheLimitIsDroppedAndTheProgramGoesOn() async throws {
    let output = try await shell("head -c 300000 /dev/zero; echo done >&2", limit: 1000)
    #expect(output.succeeded)
    #expect(output.stdout.count == 1000)
    #expect(output.truncated)
    #expect(output.stderr == Array("done\n".utf8))
  }

  @Test func theEnvironmentIsExactlyWhatWasGiven() async throws {
    let output = try await Command.run("/usr/bin/env", environment: ["A=1", "B=x y"], timeout: .seconds(20))
    #expect(String(decoding: output.stdout, as: UTF8.self) == "A=1\nB=x y\n")
  }

  @Test func onlyTheThreeStandardDescriptorsAreOpen() async throws {
    let output = try await shell("ls /proc/$$/fd")
    #expect(String(decoding: output.stdout, as: UTF8.self).split(separator: "\n") == ["0", "1", "2"])
  }

  @Test func noSignalIsBlockedOrIgnored() async throws {
    let output = try await Command.run("/bin/cat", ["/proc/self/status"], timeout: .seconds(20))
    let lines = String(decoding: output.stdout, as: UTF8.self).split(separator: "\n")
    let masks = lines.filter { $0.hasPrefix("SigBlk:") || $0.hasPrefix("SigIgn:") }
    #expect(masks == ["SigBlk:\t0000000000000000", "SigIgn:\t0000000000000000"])
  }

  @Test func theDeadlineKillsTheWholeGroup() async throws {
    let output = try await shell("sleep 1000 & echo $!; wait", timeout: .milliseconds(300))
    #expect(output.ending == .timedOut)
    let pid = try #require(Int32(String(decoding: output.stdout, as: UTF8.self).dropLast()))
    try await eventually { !Files.exists("/proc/\(pid)/cmdline") || (try? Files.read("/proc/\(pid)/cmdline"))?.isEmpty != false }
  }

  @Test func aProgramThatCannotBeKilledIsGivenUpAndReapedLater() async throws {
    try await withStuckProgram(timeout: .seconds(1)) { output in
      let ended = try await output()
      #expect(ended.ending == .timedOut && ended.stdout == Array("before\n".utf8))
    }
  }

  @Test func aProgramThatCannotBeKilledIsGivenUpWhenNobodyWantsItAnyMore() async throws {
    try await withStuckProgram(timeout: .seconds(100_000)) { output in
      let task = Task { try await output() }
      task.cancel()
      await #expect(throws: CancellationError.self) { try await task.value }
    }
  }

  /// A program that waits for a filesystem whose server took its request and never answers, as long as `body` runs.
  private func withStuckProgram(
    timeout: Duration, _ body: (_ output: @escaping @Sendable () async throws -> Command.Output) async throws -> Void
  ) async throws {
    try await withScratch("command") { scratch in
      let path = scratch + "/stuck"
      try Files.makeDirectories(path)
      do {
        let mount = try DeadMount.make(at: path)
        try mount.greet()
        let running = Task { try await shell("echo before; exec cat \(path)/file", timeout: timeout) }
        try mount.takeRequest()
        try await body {
          try await withTaskCancellationHandler {
            try await running.value
          } onCancel: {
            running.cancel()
          }
        }
        #expect(ProcessTable.all().contains { ProcessTable.commandLine($0) == "cat \(path)/file" })
        _ = consume mount
      }
      try await eventually {
        !ProcessTable.all().contains {
          ProcessTable.commandLine($0)?.contains("cat") == true && ProcessTable.parent($0) == ProcessTable.own
        }
      }
    }
  }

  @Test func aBackgroundChildHoldingThePipeIsNotWaitedFor() async throws {
    let started = ContinuousClock.now
    let output = try await shell("sleep 20 & echo $!")
    #expect(output.succeeded)
    #expect(ContinuousClock.now - started < .seconds(10))
    let pid = try #require(Int32(String(decoding: output.stdout, as: UTF8.self).dropLast()))
    try Pidfd.open(pid).signal(9)
  }

  @Test func cancellingTheTaskKillsTheProgram() async throws {
    let task = Task { try await shell("sleep 1000") }
    try await Task.sleep(for: .milliseconds(50))
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  @Test func aMissingProgramAndDirectoryAreNamed() async throws {
    let missing = await #expect(throws: SystemError.self) { try await Command.run("/no/such/program", timeout: .seconds(5)) }
    #expect(missing?.description == "execve /no/such/program: No such file or directory")
    let directory = await #expect(throws: SystemError.self) {
      try await Command.run("/bin/true", directory: "/no/such/directory", timeout: .seconds(5))
    }
    #expect(directory?.description == "chdir /no/such/directory: No such file or directory")
  }

  @Test func manyRunAtOnceAndLeaveNoDescriptor() async throws {
    let before = try Files.list("/proc/self/fd").count
    try await withThrowingTaskGroup(of: Command.Output.self) { group in
      for index in 0..<40 { group.addTask { try await shell("sleep 0.1; echo \(index)") } }
      for try await output in group { #expect(output.succeeded) }
    }
    #expect(try Files.list("/proc/self/fd").count <= before + 2)
  }
}

/// Polls a condition for up to ten seconds.
func eventually(_ condition: () throws -> Bool) async throws {
  let deadline = ContinuousClock.now + .seconds(10)
  while ContinuousClock.now < deadline {
    if try condition() { return }
    try await Task.sleep(for: .milliseconds(10))
  }
  Issue.record("the condition did not come true")
}
