import Core
import Synchronization
import Testing

@testable import Streaming

/// Sizes of a client's terminal that nobody takes.
@Suite(.serialized) struct TerminalSizeTests {
  /// A process whose terminal's size is never set before it is let: its shim hangs.
  private final class StuckWindow: StreamSession {
    private let process: ProcessSession
    private let gate: AsyncStream<Void>
    private let opener: AsyncStream<Void>.Continuation
    let isResizing = Mutex(false)

    init(_ process: ProcessSession) {
      self.process = process
      (gate, opener) = AsyncStream<Void>.makeStream()
    }

    func release() { opener.finish() }
    func takeStreams() -> SessionStreams { process.takeStreams() }
    func resize(columns: UInt16, rows: UInt16) async throws {
      isResizing.withLock { $0 = true }
      for await _ in gate {}
    }
    func exit() async throws -> ExitRecord { try await process.exit() }
    func end() async { await process.end() }
  }

  private static let streams = CommandStreams(stdin: true, stdout: true, terminal: true)

  /// A client that told its size before the session was there, and the session that does not take it.
  private static func start(_ script: String, _ fixture: Fixture) async throws -> (CommandClient, StuckWindow) {
    let opened = Mutex<StuckWindow?>(nil)
    let (opening, open) = AsyncStream<Void>.makeStream()
    let url = try fixture.server.url(
      for: .exec(streams) {
        for await _ in opening {}
        let session = StuckWindow(try await ProcessSession.start(script, streams))
        opened.withLock { $0 = session }
        return session
      })
    let client = try await CommandClient.start(url, ["stdin", "stdout", "resize"])
    try await client.send("{\"Width\":101,\"Height\":33}", to: "resize")
    try await client.spdy.wire.write(SPDYFrameWriter.ping(1))
    try await client.spdy.receive { client.spdy.control.contains(.ping(1)) }
    open.finish()
    let session = try await eventually("the session is opened") { opened.withLock { $0 } }
    try await eventually("the size is told") { session.isResizing.withLock { $0 ? true : nil } }
    return (client, session)
  }

  @Test func `a size that nobody takes holds what is typed for a moment only`() async throws {
    try await Fixture.with { fixture in
      let (client, session) = try await Self.start("read line; echo got $line", fixture)
      try await client.send("typed\n")
      #expect(try await client.finish() == "{\"metadata\":{},\"status\":\"Success\"}")
      #expect(client.text("stdout").hasSuffix("got typed\r\n"), "\(client.text("stdout"))")
      session.release()
    }
  }

  /// ``Fixture`` finds what would be left.
  @Test func `who goes away meanwhile leaves neither process nor descriptor`() async throws {
    try await Fixture.with { fixture in
      let (client, session) = try await Self.start("read line", fixture)
      try await client.spdy.wire.close()
      _ = try await session.exit()
      session.release()
    }
  }
}
