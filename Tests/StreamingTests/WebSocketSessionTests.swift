import Core
import Linux
import Support
import Synchronization
import Testing

@testable import Streaming
@testable import WebSocket

@Suite(.serialized) struct WebSocketSessionTests {
  private static let success = "{\"metadata\":{},\"status\":\"Success\"}"
  private static let all = CommandStreams(stdin: true, stdout: true, stderr: true)

  @Test(arguments: ["v5.channel.k8s.io", "v4.channel.k8s.io", "channel.k8s.io", ""])
  func `channels carry a command's streams, and its end`(name: String) async throws {
    try await Fixture.with { fixture in
      let client = try await WebSocketClient.connect(
        try fixture.execURL("read line; echo got $line; echo err >&2; exit 3", Self.all), name)
      #expect(name.isEmpty || client.head.contains("Sec-WebSocket-Protocol: \(name)"))
      try await client.send(0, "hello\n")
      try await client.receive { client.closeCode != nil }
      #expect(client.messages.first == [1])
      #expect(client.text(1) == "got hello\n" && client.text(2) == "err\n" && client.closeCode == 1000)
      let hasStatus = name.hasPrefix("v")
      #expect(client.text(3).contains(hasStatus ? "\"message\":\"3\",\"reason\":\"ExitCode\"" : "exit code 3"))
      #expect(client.text(3).hasPrefix("{") == hasStatus)
      try await client.wire.close()
    }
  }

  @Test(arguments: ["base64.channel.k8s.io", "v4.base64.channel.k8s.io"])
  func `in base64 channels are digits`(name: String) async throws {
    try await Fixture.with { fixture in
      let client = try await WebSocketClient.connect(try fixture.execURL("read line; echo got $line", Self.all), name)
      try await client.sendMessage(Array("0".utf8) + Base64.encode(Array("hello\n".utf8)), opcode: 0x81)
      try await client.receive { client.closeCode != nil }
      let stdout = client.output[UInt8(ascii: "1")] ?? []
      #expect(Base64.decode(stdout) == Array("got hello\n".utf8))
      try await client.wire.close()
    }
  }

  @Test func `version 5's close signal is the end of stdin`() async throws {
    try await Fixture.with { fixture in
      let client = try await WebSocketClient.connect(try fixture.execURL("cat; echo end", Self.all), "v5.channel.k8s.io")
      try await client.send(0, "text\n")
      try await client.sendMessage([255, 0])
      try await client.receive { client.closeCode != nil }
      #expect(client.text(1) == "text\nend\n" && client.text(3) == Self.success)
      try await client.wire.close()
    }
  }

  @Test func `a resize message and pings are heard while a command runs`() async throws {
    try await Fixture.with { fixture in
      let streams = CommandStreams(stdin: true, stdout: true, terminal: true)
      let client = try await WebSocketClient.connect(try fixture.execURL("read line", streams), "v4.channel.k8s.io")
      try await client.send(4, "{\"Width\":90,\"Height\":30}")
      try await client.sendMessage([1, 2, 3], opcode: 0x89)
      try await client.receive { client.pongs == 1 }
      let session = try await eventually("the session is opened") { fixture.sessions.first }
      try await eventually("the size is told") { session.sizes.withLock { $0.last == [90, 30] ? true : nil } }
      try await client.send(0, "\n")
      try await client.receive { client.closeCode != nil }
      #expect(client.text(3) == Self.success)
      try await client.wire.close()
    }
  }

  @Test func `a client's close ends the session and is answered`() async throws {
    try await Fixture.with { fixture in
      let client = try await WebSocketClient.connect(try fixture.execURL("sleep 1000", Self.all), "v5.channel.k8s.io")
      let session = try await eventually("the session is opened") { fixture.sessions.first }
      try await client.sendMessage([3, 0xE8], opcode: 0x88)
      try await client.receive { client.isOver }
      #expect(client.closeCode == 1000)
      let exit = try await session.exit()
      #expect(exit.exitCode == 137)
    }
  }

  @Test func `an ill-formed frame ends the connection with its code`() async throws {
    try await Fixture.with { fixture in
      let client = try await WebSocketClient.connect(try fixture.execURL("sleep 1000", Self.all), "v5.channel.k8s.io")
      try await client.sendMessage([0, 1], opcode: 0x83)
      try await client.receive { client.isOver }
      #expect(client.closeCode == 1002)
    }
  }

  @Test(arguments: [
    [(UInt8(0x81), "0aGVsbG8")], [(0x01, "0aGVs"), (0x80, "bG8")], [(0x81, "0aGV*")], [(0x01, "0aGVsbG8="), (0x00, ""), (0x80, "a")],
  ])
  func `a message that is not whole base64 ends the connection with the code for it`(frames: [(UInt8, String)]) async throws {
    try await Fixture.with { fixture in
      let client = try await WebSocketClient.connect(try fixture.execURL("cat", Self.all), "v4.base64.channel.k8s.io")
      for (opcode, text) in frames { try await client.sendMessage(Array(text.utf8), opcode: opcode) }
      try await client.receive { client.isOver }
      #expect(client.closeCode == 1007)
    }
  }

  @Test func `ten megabytes come back over channels as they were sent`() async throws {
    try await Fixture.with { fixture in
      let client = try await WebSocketClient.connect(
        try fixture.execURL("cat", CommandStreams(stdin: true, stdout: true)), "v5.channel.k8s.io")
      let piece = (0..<(64 << 10)).map { UInt8(truncatingIfNeeded: $0 &* 13) }
      let wire = client.wire
      async let sent: Void = {
        for _ in 0..<160 { try await wire.write(WebSocketTests.frame(0x82, [0] + piece)) }
        try await wire.write(WebSocketTests.frame(0x82, [255, 0]))
      }()
      try await client.receive { client.closeCode != nil }
      try await sent
      #expect(client.output[1]?.count == 10 << 20)
      #expect(client.output[1]?.suffix(64 << 10) == piece[...])
      try await client.wire.close()
    }
  }
}
