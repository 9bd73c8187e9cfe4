import Core
import Linux
import NIOCore
import Support
import Testing

@testable import Streaming

@Suite(.serialized) struct BadClientTests {
  private static let spdy = "Host: h\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n\r\n"

  private func answer(_ port: Int, _ request: String) async throws -> String {
    let wire = try await Wire.connect(port)
    try await wire.write(request)
    return try await wire.readToEnd()
  }

  @Test func `who knows no token, or asks wrongly, is told so and the connection ends`() async throws {
    try await Fixture.with { fixture in
      let url = try fixture.execURL("echo", CommandStreams(stdout: true))
      let (port, path) = try SPDYClient.split(url)
      let other = path.replacing("/exec/", with: "/attach/")
      let cases: [(String, String)] = [
        ("GET / HTTP/1.1\r\nHost: h\r\n\r\n", "404"),
        ("GET /exec/ HTTP/1.1\r\n\(Self.spdy)", "404"),
        ("GET /exec/0123456789abcdef0123456789abcdef HTTP/1.1\r\n\(Self.spdy)", "404"),
        ("GET \(other) HTTP/1.1\r\n\(Self.spdy)", "404"),
        ("GET \(path)/x HTTP/1.1\r\n\(Self.spdy)", "404"),
        ("PUT \(path) HTTP/1.1\r\n\(Self.spdy)", "405"),
        ("GET \(path) HTTP/1.1\r\nHost: h\r\n\r\n", "426"),
        ("GET \(path) HTTP/1.1\r\n\(Self.spdy.replacing("v4", with: "v9"))", "403"),
        ("nonsense\r\n\r\n", "400"), ("\u{16}\u{3}\u{1}\r\n\r\n", "400"),
        ("GET /\(String(repeating: "a", count: 20_000)) HTTP/1.1\r\n\(Self.spdy)", "431"),
        ("GET \(path) HTTP/1.0\r\n\(Self.spdy)", "505"),
      ]
      for (request, status) in cases {
        let response = try await answer(port, request)
        #expect(response.hasPrefix("HTTP/1.1 \(status) "), "\(request.prefix(80)): \(response)")
      }
      let client = try await CommandClient.start(url, ["stdout"])
      #expect(try await client.finish().contains("Success"))
      #expect(try await answer(port, "GET \(path) HTTP/1.1\r\n\(Self.spdy)").hasPrefix("HTTP/1.1 404 "))
    }
  }

  @Test func `a request that comes too slowly is ended by its deadline`() async throws {
    try await Fixture.with {
      $0.limits.headTime = .milliseconds(200)
    } _: { fixture in
      let port = try fixture.port
      let wire = try await Wire.connect(port)
      try await wire.write("GET /exec")
      #expect(try await wire.readToEnd().hasPrefix("HTTP/1.1 408 "))
    }
  }

  @Test func `a byte at a time gets no more time than none`() async throws {
    try await Fixture.with {
      $0.limits.headTime = .milliseconds(300)
    } _: { fixture in
      let wire = try await Wire.connect(try fixture.port)
      let trickle = Task { while !Task.isCancelled { try await wire.write("G"); try await Task.sleep(for: .milliseconds(20)) } }
      #expect(try await wire.readToEnd().hasPrefix("HTTP/1.1 408 "))
      trickle.cancel()
      _ = await trickle.result
    }
  }

  @Test func `who ends its side has ended the connection, before the upgrade and after`() async throws {
    try await Fixture.with { fixture in
      let stranger = try await Wire.connect(try fixture.port)
      try await stranger.write("GET /exec")
      try await stranger.channel.close(mode: .output)
      #expect(try await stranger.readToEnd() == "")
      let client = try await CommandClient.start(try fixture.execURL("sleep 1000", CommandStreams(stdout: true)), ["stdout"])
      let session = try await eventually("the session is opened") { fixture.sessions.first }
      try await client.spdy.wire.channel.close(mode: .output)
      try await client.spdy.receive { false }
      #expect(try await session.exit().exitCode == 137)
    }
  }

  @Test func `connections without a request are bounded`() async throws {
    try await Fixture.with {
      $0.limits.strangers = 4
    } _: { fixture in
      let port = try fixture.port
      var wires: [Wire] = []
      for _ in 0..<4 { wires.append(try await Wire.connect(port)) }
      let refused = try await Wire.connect(port)
      #expect(try await refused.readToEnd().hasPrefix("HTTP/1.1 503 "))
      for wire in wires { try await wire.close() }
      try await eventually("there is room again") {
        let wire = try await Wire.connect(port)
        try await wire.write("nonsense\r\n\r\n")
        return try await wire.readToEnd().hasPrefix("HTTP/1.1 400 ") ? true : nil
      }
    }
  }

  @Test func `an idle session ends after the idle time`() async throws {
    try await Fixture.with {
      $0.limits.idleTime = .milliseconds(300)
    } _: { fixture in
      let client = try await CommandClient.start(try fixture.execURL("sleep 1000", CommandStreams(stdout: true)), ["stdout"])
      try await client.spdy.receive { false }
      let session = try #require(fixture.sessions.first)
      let exit = try await session.exit()
      #expect(exit.exitCode == 137)
    }
  }

  @Test func `ill-formed frames end the session with GOAWAY and its process`() async throws {
    try await Fixture.with { fixture in
      let client = try await CommandClient.start(try fixture.execURL("sleep 1000", CommandStreams(stdout: true)), ["stdout"])
      let session = try await eventually("the session is opened") { fixture.sessions.first }
      try await client.spdy.wire.write(ByteBuffer(bytes: [0x80, 3, 0, 1, 0, 0xFF, 0xFF, 0xFF]))
      try await client.spdy.receive { false }
      #expect(client.spdy.control.contains { if case .goAway = $0 { true } else { false } })
      let exit = try await session.exit()
      #expect(exit.exitCode == 137)
    }
  }

  @Test func `tokens are few, single, and expire`() throws {
    var table = TokenTable(limit: 2, lifetime: .seconds(60))
    let request = StreamRequest.exec(CommandStreams(stdout: true)) { throw Fault(.internal, "never") }
    let now = ContinuousClock.now
    let (kind, first) = try table.add(request, now: now)
    let second = try table.add(request, now: now + .seconds(1)).token
    #expect(first.count == 32 && first != second)
    #expect(throws: Fault.self) { try table.add(request, now: now) }
    #expect(table.find(.attach, first, now: now) == nil)
    #expect(table.take(kind, first, now: now) != nil)
    #expect(table.take(kind, first, now: now) == nil)
    #expect(table.take(kind, second, now: now + .seconds(61)) == nil)
    for index in 0..<2 { _ = try table.add(request, now: now + .seconds(70 + index)) }
  }
}
