import Core
import Linux
import Support
import Synchronization
import Testing

@testable import Streaming

@Suite(.serialized) struct RemoteCommandTests {
  private static let success = "{\"metadata\":{},\"status\":\"Success\"}"

  @Test func `output, errors and success of a command reach the client`() async throws {
    try await Fixture.with { fixture in
      let result = try await fixture.exec("echo out; echo err >&2")
      #expect(result == (Self.success, "out\n", "err\n"))
    }
  }

  @Test func `an exit code is told as version 4's status object`() async throws {
    try await Fixture.with { fixture in
      let status = try await fixture.exec("exit 3").status
      #expect(
        status.contains("\"reason\":\"NonZeroExitCode\"") && status.contains("\"message\":\"3\",\"reason\":\"ExitCode\""), "\(status)")
    }
  }

  @Test(arguments: ["channel.k8s.io", "v2.channel.k8s.io", "v3.channel.k8s.io"])
  func `versions before 4 tell an exit code as text and success as nothing`(version: String) async throws {
    try await Fixture.with { fixture in
      for (script, expected) in [("true", ""), ("exit 4", "command terminated with non-zero exit code: exit code 4")] {
        let client = try await CommandClient.start(
          try fixture.execURL(script, CommandStreams(stdout: true)), ["stdout"], version: version)
        #expect(try await client.finish() == expected)
      }
    }
  }

  @Test func `the half-close of stdin reaches the process at once`() async throws {
    try await Fixture.with { fixture in
      let url = try fixture.execURL("cat; echo done", CommandStreams(stdin: true, stdout: true))
      let client = try await CommandClient.start(url, ["stdin", "stdout"])
      try await client.send("hello\n")
      try await client.send("world\n", fin: true)
      #expect(try await client.finish() == Self.success)
      #expect(client.text("stdout") == "hello\nworld\ndone\n")
    }
  }

  @Test func `a megabyte comes back as it was sent, and more than a window at once`() async throws {
    try await Fixture.with { fixture in
      let client = try await CommandClient.start(
        try fixture.execURL("cat", CommandStreams(stdin: true, stdout: true)), ["stdin", "stdout"])
      var sent: [UInt8] = []
      for piece in 0..<32 {
        let bytes = (0..<(32 << 10)).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ piece) }
        sent += bytes
        try await client.spdy.send(client.streams["stdin"]!, bytes, fin: piece == 31)
      }
      #expect(try await client.finish() == Self.success)
      #expect(client.spdy.output[client.streams["stdout"]!] == sent)
    }
  }

  @Test func `a child that holds the pipe does not hold the session, and what was written before the end is there`() async throws {
    try await Fixture.with { fixture in
      let result = try await fixture.exec("sleep 30 & head -c 200000 /dev/zero | tr '\\0' x; exec 2>&-; echo $! > /proc/self/fd/1")
      #expect(result.status == Self.success)
      #expect(result.stdout.hasPrefix(String(repeating: "x", count: 200_000)))
      let child = try #require(Int32(result.stdout.drop { $0 == "x" }.filter(\.isNumber)))
      try Pidfd.open(child).signal(9)
    }
  }

  @Test func `a client that goes away ends the session`() async throws {
    try await Fixture.with { fixture in
      let client = try await CommandClient.start(try fixture.execURL("sleep 1000", CommandStreams(stdout: true)), ["stdout"])
      let session = try await eventually("the session is opened") { fixture.sessions.first }
      try await client.spdy.wire.close()
      #expect(try await session.exit().exitCode == 137)
      #expect(session.endings.withLock { $0 } == 1)
    }
  }

  @Test func `a terminal echoes, carries both streams on one, and learns its size`() async throws {
    try await Fixture.with { fixture in
      let url = try fixture.execURL("read line; echo \"got $line\" >&2", CommandStreams(stdin: true, stdout: true, terminal: true))
      let client = try await CommandClient.start(url, ["stdin", "stdout", "resize"])
      try await client.send("{\"Width\":100,\"Hei", to: "resize")
      try await client.send("ght\":40}\n{\"Width\":120,\"Height\":50}\n", to: "resize")
      let session = try await eventually("the session is opened") { fixture.sessions.first }
      try await eventually("the size is told") { session.sizes.withLock { $0.last == [120, 50] ? true : nil } }
      try await client.send("line\n")
      #expect(try await client.finish() == Self.success)
      #expect(client.text("stdout") == "line\r\ngot line\r\n")
    }
  }

  @Test func `a size that came before the session is the terminal's before the first key is read`() async throws {
    try await Fixture.with { fixture in
      let (opening, open) = AsyncStream<Void>.makeStream()
      let streams = CommandStreams(stdin: true, stdout: true, terminal: true)
      let url = try fixture.server.url(
        for: .exec(streams) {
          for await _ in opening {}
          return try await ProcessSession.start("read line; stty size", streams)
        })
      let client = try await CommandClient.start(url, ["stdin", "stdout", "resize"])
      try await client.send("{\"Width\":101,\"Height\":33}", to: "resize")
      try await client.send("typed ahead\n")
      try await client.spdy.wire.write(SPDYFrameWriter.ping(1))
      try await client.spdy.receive { client.spdy.control.contains(.ping(1)) }
      open.finish()
      #expect(try await client.finish() == Self.success)
      #expect(client.text("stdout").hasSuffix("33 101\r\n"), "\(client.text("stdout"))")
    }
  }

  @Test func `a session that cannot be opened tells why`() async throws {
    try await Fixture.with { fixture in
      let url = try fixture.server.url(
        for: .exec(CommandStreams(stdout: true)) { throw Fault(.failedPrecondition, "no such file: /nothing") })
      let client = try await CommandClient.start(url, ["stdout"])
      let status = try await client.finish()
      #expect(status.contains("no such file: /nothing") && status.contains("InternalError"), "\(status)")
    }
  }

  @Test func `an attach ends with its container and tells no exit code`() async throws {
    try await Fixture.with { fixture in
      let client = try await CommandClient.start(
        try fixture.attachURL("read line; echo $line; exit 9", CommandStreams(stdin: true, stdout: true)), ["stdin", "stdout"])
      try await client.send("hello\n")
      #expect(try await client.finish() == Self.success)
      #expect(client.text("stdout") == "hello\n")
    }
  }

  @Test func `a client that does not read stops the process's output, not the server`() async throws {
    try await Fixture.with { fixture in
      let url = try fixture.execURL("head -c 50000000 /dev/zero; echo end >&2", CommandStreams(stdout: true, stderr: true))
      let client = try await CommandClient.start(url, ["stdout", "stderr"])
      try await client.spdy.wire.setReading(false)
      #expect(try await fixture.exec("echo other").stdout == "other\n")
      try await client.spdy.wire.setReading(true)
      #expect(try await client.finish() == Self.success)
      #expect(client.spdy.output[client.streams["stdout"]!]?.count == 50_000_000)
    }
  }

  @Test func `two hundred sessions at once`() async throws {
    try await Fixture.with { fixture in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<200 {
          group.addTask {
            let output = try await fixture.exec("echo \(number)").stdout
            #expect(output == "\(number)\n")
          }
        }
        try await group.waitForAll()
      }
    }
  }

  @Test func `streams that were not asked for, or twice, are refused and harm nothing`() async throws {
    try await Fixture.with { fixture in
      let client = try await CommandClient.start(
        try fixture.execURL("echo fine", CommandStreams(stdout: true)), ["nonsense", "error"])
      let stdout = try await client.spdy.open(["streamtype": "stdout"])
      try await client.spdy.receive { client.spdy.ended.contains(stdout) }
      #expect(client.spdy.resets.count == 2)
      #expect(client.spdy.text(stdout) == "fine\n")
      try await client.spdy.wire.close()
    }
  }
}
