import NIOCore
import Support
import Testing

@testable import WebSocket
@testable import berth

@Suite struct StreamTests {
  @Test func `a URL is taken apart, and what is none is refused`() throws {
    let plain = try StreamAddress("http://127.0.0.1:40123/exec/0123?x")
    #expect(plain.host == "127.0.0.1" && plain.port == 40123 && plain.path == "/exec/0123?x" && !plain.isSecure)
    let secure = try StreamAddress("https://[::1]:1/attach/0")
    #expect(secure.host == "::1" && secure.authority == "[::1]:1" && secure.isSecure)
    for bad in ["", "http://host", "ftp://h:1/x", "http://h:0/x", "http://h/x", "http://h:1"] {
      #expect(throws: Failure.self) { try StreamAddress(bad) }
    }
  }

  @Test func `detach keys are held back until it is clear that they are not meant`() {
    var keys = DetachKeys.standard
    #expect(keys.filter([1, 16]).passed == [1])
    #expect(keys.filter([2]).passed == [16, 2])
    #expect(keys.filter([16, 16]).passed == [16])
    let end = keys.filter([17, 3])
    #expect(end.passed == [] && end.isDetached)
    var none = DetachKeys("") ?? .standard
    #expect(none.filter([16, 17]) == ([16, 17], false))
    var other = DetachKeys("ctrl-],x") ?? .standard
    #expect(other.keys == [29, 120] && other.filter([29, 120]).isDetached)
    for bad in ["ctrl-", "ctrl-pp", "a,,b", "alt-x", "ctrl-1"] { #expect(DetachKeys(bad) == nil) }
  }

  @Test(arguments: [
    ("{\"metadata\":{},\"status\":\"Success\"}", RemoteEnd.exited(0)),
    (
      "{\"status\":\"Failure\",\"reason\":\"NonZeroExitCode\",\"details\":{\"causes\":[{\"reason\":\"ExitCode\",\"message\":\"42\"}]}}",
      .exited(42)
    ),
    ("{\"status\":\"Failure\",\"message\":\"long\",\"details\":{\"causes\":[{\"message\":\"no such file\"}]}}", .failed("no such file")),
    ("", .failed("the session ended without a status")),
  ]) func `a status tells the exit code or the cause`(text: String, end: RemoteEnd) { #expect(RemoteEnd(status: Array(text.utf8)) == end) }

  @Test func `pairs of ports may leave the local one out`() {
    #expect(PortPair(argument: "8080:80").map { [$0.local, $0.remote] } == [8080, 80])
    #expect(PortPair(argument: "80").map { [$0.local, $0.remote] } == [80, 80])
    #expect(PortPair(argument: ":80").map { [$0.local, $0.remote] } == [0, 80])
    for bad in ["", ":", "80:", "0", "1:2:3", "x:80", "70000:80", "80:0"] { #expect(PortPair(argument: bad) == nil) }
  }

  @Test func `a client's frames are read by the server's parser as they were meant`() throws {
    for count in [0, 1, 7, 8, 125, 126, 200, 65_536, 100_000] {
      let payload = ByteBuffer(bytes: (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) })
      var parser = WebSocketFrameParser(of: .client)
      parser.feed(WebSocketFrameWriter.masked(.binary, prefix: 9, payload))
      var read = ByteBuffer()
      while let event = try parser.next() { if case .payload(let bytes, _) = event { read.writeImmutableBuffer(bytes) } }
      #expect(read.readInteger(as: UInt8.self) == 9 && read == payload)
    }
    var parser = WebSocketFrameParser(of: .server)
    parser.feed(WebSocketFrameWriter.masked(.binary, ByteBuffer(bytes: [1])))
    #expect(throws: WebSocketViolation.self) { while try parser.next() != nil {} }
  }

  @Test func `a handshake is done only when the answer fits`() throws {
    func answer(_ change: (String) -> String) throws -> Bool {
      var handshake = ClientHandshake(host: "h:1", path: "/exec/1", subprotocol: "v5.channel.k8s.io")
      let key = String(buffer: handshake.request).split(separator: "Key: ")[1].prefix { $0 != "\r\n" }
      let good = """
        HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nsec-websocket-accept: \(WebSocketAccept.value(for: String(key)))\r
        Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n
        """
      var done = false
      // In pieces, and with the first frame behind it.
      for piece in [String(good.prefix(20)), change(String(good.dropFirst(20))) + "rest"] where !done {
        var bytes = ByteBuffer(string: piece)
        done = try handshake.read(&bytes)
      }
      return done
    }
    #expect(try answer { $0 })
    #expect(throws: ClientHandshake.Refusal.self) { try answer { $0.replacing("accept: ", with: "accept: x") } }
    #expect(throws: ClientHandshake.Refusal.self) { try answer { $0.replacing("v5", with: "v4") } }
    var refused = ClientHandshake(host: "h:1", path: "/", subprotocol: "x")
    var bytes = ByteBuffer(string: "HTTP/1.1 404 Not Found\r\nContent-Length: 10\r\n\r\nnot found\n")
    #expect(throws: ClientHandshake.Refusal(message: "404 Not Found: not found")) { try refused.read(&bytes) }
  }
}
