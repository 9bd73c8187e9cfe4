import Linux
import Testing

@Suite struct PidfdTests {
  private func sleeper(_ seconds: String) async throws -> Pidfd {
    try await BlockingWork.run { try Spawn("/bin/sleep", [seconds], descriptors: [-1, -1, -1]).start() }
  }

  @Test func anEndIsSeenByEveryWaiterAndReapedOnce() async throws {
    let process = try await sleeper("1000")
    #expect(!process.hasEnded)
    #expect(try process.reap() == nil)
    async let first: Void = process.ended()
    async let second: Void = process.ended()
    try process.signal(9)
    _ = await (first, second)
    #expect(process.hasEnded)
    #expect(try process.reap() == .signalled(9))
    #expect(throws: SystemError.self) { try process.reap() }
    await process.ended()
  }

  @Test func aProcessThatIsNoChildIsWatchedToo() async throws {
    let parent = try await Command.run(
      "/bin/sh", ["-c", "sleep 1000 >&- 2>&- & echo $!"], environment: ["PATH=/bin"], timeout: .seconds(10))
    let pid = try #require(Int32(String(decoding: parent.stdout, as: UTF8.self).dropLast()))
    let process = try Pidfd.open(pid)
    async let end: Void = process.ended()
    try process.signal(15)
    await end
    #expect(throws: SystemError.self) { try process.reap() }
  }

  @Test func cancellingAWaiterLeavesTheProcessAlone() async throws {
    let process = try await sleeper("1000")
    let waiter = Task { await process.ended() }
    waiter.cancel()
    await waiter.value
    #expect(!process.hasEnded)
    try process.signal(9)
    await process.ended()
    #expect(try process.reap() == .signalled(9))
  }

  @Test func aProcessThatIsGoneCannotBeOpened() async throws {
    let process = try await sleeper("0")
    await process.ended()
    #expect(try process.reap() == .exited(0))
    #expect(throws: SystemError.self) { try Pidfd.open(process.pid) }
    #expect(throws: SystemError.self) { try process.signal(0) }
  }
}
