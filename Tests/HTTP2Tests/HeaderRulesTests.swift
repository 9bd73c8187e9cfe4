import HTTP2
import NIOCore
import Testing

@Suite struct HeaderRulesTests {
  private static let base = [(":method", "POST"), (":scheme", "http"), (":path", "/s/m")]

  @Test(arguments: ["/run/berth/berth.sock", "%2Frun%2Fberth%2Fberth.sock", "localhost", "unix:///run/x", "", "[::1]:80", "a b"])
  func `Any authority is accepted`(_ authority: String) {
    let client = RawClient()
    client.send(Raw.request(1, Self.base + [(":authority", authority)]))
    #expect(client.events.headers(of: 1)?[":authority"] == authority)
  }

  @Test(arguments: [
    [(":method", "POST"), (":scheme", "http")],
    [(":scheme", "http"), (":path", "/")],
    [(":method", "POST"), (":path", "/")],
    base + [(":path", "/again")],
    base + [(":status", "200")],
    base + [(":unknown", "x")],
    [(":method", "POST"), (":scheme", "http"), (":path", "")],
    [(":method", "POST"), ("first", "regular"), (":scheme", "http"), (":path", "/")],
    base + [("Upper", "case")],
    base + [("", "empty")],
    base + [("sp ace", "x")],
    base + [("n", "line\nbreak")],
    base + [("n", "nul\0")],
    base + [("n", " leading")],
    base + [("n", "trailing\t")],
    base + [("connection", "close")],
    base + [("transfer-encoding", "chunked")],
    base + [("upgrade", "h2c")],
    base + [("te", "gzip")],
    base + [("content-length", "-1")],
    base + [("content-length", "x")],
    base + [("content-length", "0"), ("content-length", "0")],
    base + [("content-length", "5")],
  ])
  func `A malformed request resets its stream, and the next one works`(_ fields: [(String, String)]) {
    let client = RawClient()
    let frames = client.send(Raw.request(1, fields))
    #expect(frames.contains { $0.kind == 3 && $0.stream == 1 && $0.code == 1 })
    #expect(client.events.closed(1) == .protocolError || client.events.closed(1) == nil)
    client.send(Raw.request(3))
    #expect(client.events.headers(of: 3) != nil)
    #expect(client.server.openStreams == 1)
  }

  @Test func `Fields that are allowed pass`() {
    let client = RawClient()
    client.send(Raw.request(1, Self.base + [("te", "trailers"), ("x-empty", ""), ("x-utf8", "größe"), ("content-length", "0")]))
    #expect(client.events.headers(of: 1)?["x-utf8"] == "größe")
    #expect(client.events.hasEnd(of: 1))
  }

  @Test func `More data than content-length resets the stream`() {
    let client = RawClient()
    client.send(Raw.request(1, Self.base + [("content-length", "2")], flags: Raw.endHeaders))
    let frames = client.send(Raw.frame(.data, flags: Raw.endStream, stream: 1, [1, 2, 3]))
    #expect(frames.contains { $0.kind == 3 && $0.code == 1 })
    #expect(!client.events.hasEnd(of: 1))
  }

  @Test func `Data after a body that was whole resets the stream, and its request is not taken`() {
    let client = RawClient()
    client.send(Raw.request(1, Self.base + [("content-length", "2")], flags: Raw.endHeaders))
    let frames = client.send(Raw.frame(.data, stream: 1, [1, 2]), Raw.frame(.data, flags: Raw.endStream, stream: 1, [3]))
    #expect(frames.contains { $0.kind == 3 && $0.code == 1 })
    #expect(!client.events.hasEnd(of: 1))
  }

  @Test(arguments: [[(":path", "/")], [("Bad", "name")]])
  func `Malformed trailers reset the stream`(_ fields: [(String, String)]) {
    let client = RawClient()
    client.send(Raw.request(1, flags: Raw.endHeaders))
    let frames = client.send(Raw.request(1, fields))
    #expect(frames.contains { $0.kind == 3 && $0.code == 1 })
    #expect(!client.events.hasEnd(of: 1))
  }

  @Test func `Trailers that do not end the stream reset it`() {
    let client = RawClient()
    client.send(Raw.request(1, flags: Raw.endHeaders))
    let frames = client.send(Raw.request(1, [("a", "b")], flags: Raw.endHeaders))
    #expect(frames.contains { $0.kind == 3 && $0.code == 1 })
  }

  @Test func `An informational response is passed over`() {
    let pair = SessionPair()
    let id = pair.request()
    pair.pump()
    pair.client.receive(Raw.frame(.headers, flags: Raw.endHeaders, stream: UInt32(id), Raw.block([(":status", "103")])))
    pair.server.submitResponse(id, [":status": "200"], end: .end)
    pair.pump()
    #expect(pair.clientEvents.headers(of: id)?[":status"] == "200")
    #expect(pair.clientEvents.closed(id) == .noError)
  }

  @Test(arguments: [[("a", "b")], [(":status", "20")], [(":status", "abc")], [(":status", "200"), (":path", "/")]])
  func `A malformed response resets its stream`(_ fields: [(String, String)]) {
    let pair = SessionPair()
    let id = pair.request()
    pair.pump()
    pair.client.receive(Raw.frame(.headers, flags: Raw.endHeaders, stream: UInt32(id), Raw.block(fields)))
    pair.pump()
    #expect(pair.clientEvents.closed(id) == .protocolError)
    #expect(pair.clientEvents.headers(of: id) == nil)
  }
}
