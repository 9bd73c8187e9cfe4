import Core
import Linux
import Synchronization
import Testing

@testable import Streaming

@Suite(.serialized) struct ShutdownTests {
  /// A session that does not end before it is let.
  private final class HangingSession: StreamSession {
    private let gate: AsyncStream<Void>
    private let opener: AsyncStream<Void>.Continuation
    let isEnding = Mutex(false)

    init() { (gate, opener) = AsyncStream<Void>.makeStream() }

    func release() { opener.finish() }
    func takeStreams() -> SessionStreams { SessionStreams(stdin: nil, stdout: nil, stderr: nil) }
    func resize(columns: UInt16, rows: UInt16) async throws {}
    func exit() async throws -> ExitRecord {
      while !Task.isCancelled { try await Task.sleep(for: .seconds(60)) }
      throw CancellationError()
    }
    func end() async {
      isEnding.withLock { $0 = true }
      await Task.detached { [gate] in for await _ in gate {} }.value
    }
  }

  @Test func `a session that hangs does not hold the server's end, and no URL is given out any more`() async throws {
    try await Fixture.with {
      $0.limits.shutdownTime = .milliseconds(200)
    } _: { fixture in
      let session = HangingSession()
      let url = try fixture.server.url(for: .exec(CommandStreams(stdin: true)) { session })
      let client = try await CommandClient.start(url, ["stdin"])
      try await client.spdy.receive { client.spdy.replies.count == 2 }
      let unused = try fixture.execURL("true", CommandStreams(stdout: true))
      await fixture.server.shutdown()
      #expect(session.isEnding.withLock { $0 })
      let fault = #expect(throws: Fault.self) { try fixture.execURL("true", CommandStreams(stdout: true)) }
      #expect(fault?.code == .unavailable)
      await #expect(throws: (any Error).self) { _ = try await CommandClient.start(unused, ["stdout"]) }
      try await client.spdy.receive { false }
      session.release()
    }
  }
}
