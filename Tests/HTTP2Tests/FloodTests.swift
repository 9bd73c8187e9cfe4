import HTTP2
import NIOCore
import Testing

/// Each flood ends its connection with GOAWAY ENHANCE_YOUR_CALM (11); what is allowed passes.
@Suite struct FloodTests {
  private func expectCalm(_ client: RawClient, _ frames: [Frame], _ reason: String) {
    #expect(client.events.failure?.0 == .enhanceYourCalm)
    #expect(client.events.failure?.1.contains(reason) == true)
    #expect(frames.last?.kind == 7 && frames.last?.code == 11)
    #expect(client.server.isFinished)
  }

  @Test func `Rapid reset`() {
    let client = RawClient()
    var frames: [Frame] = []
    for index in 0..<1001 {
      let stream = UInt32(2 * index + 1)
      frames += client.send(Raw.request(stream), Raw.reset(stream))
    }
    expectCalm(client, frames, "reset streams")
  }

  @Test func `Resets at a bearable rate are no flood`() {
    let client = RawClient()
    for index in 0..<5000 {
      let stream = UInt32(2 * index + 1)
      client.send(Raw.request(stream), Raw.reset(stream), at: .uptimeNanoseconds(UInt64(index) * 20_000_000))
    }
    #expect(client.events.failure == nil)
  }

  @Test func `Resets that the peer provokes count as well`() {
    // What the server sends is timed by the clock, not by the test: without a refill the machine's speed does not matter.
    var configuration = SessionConfiguration()
    configuration.resetsPerSecond = 0
    let client = RawClient(configuration)
    var frames: [Frame] = []
    for index in 0..<1002 {
      let stream = UInt32(2 * index + 1)
      frames += client.send(Raw.request(stream), Raw.frame(.windowUpdate, stream: stream, [0x7f, 0xff, 0xff, 0xff]))
    }
    expectCalm(client, frames, "reset streams")
  }

  @Test func `CONTINUATION without end`() {
    let client = RawClient()
    var input = [Raw.request(1, flags: 0)]
    for _ in 0..<20 { input.append(Raw.frame(.continuation, stream: 1, Raw.block([("a", "b")]))) }
    let frames = client.send(Raw.concatenate(input))
    expectCalm(client, frames, "CONTINUATION")
  }

  @Test(arguments: [Raw.frame(.ping, [1, 2, 3, 4, 5, 6, 7, 8]), Raw.frame(.settings)])
  func `PING and SETTINGS whose answers are not read`(_ frame: ByteBuffer) {
    let client = RawClient()
    let frames = client.send(Raw.concatenate(Array(repeating: frame, count: 1100)))
    expectCalm(client, frames, "unanswered")
  }

  @Test func `Any number of PINGs whose answers are read is answered`() {
    let client = RawClient()
    var answers = 0
    for _ in 0..<5000 { answers += client.send(Raw.frame(.ping, [1, 2, 3, 4, 5, 6, 7, 8])).filter { $0.kind == 6 && $0.flags == 1 }.count }
    #expect(answers == 5000)
  }

  @Test func `SETTINGS with too many entries`() {
    let client = RawClient()
    let frames = client.send(Raw.frame(.settings, Array(repeating: [0, 99, 0, 0, 0, 1], count: 100).flatMap { $0 }))
    #expect(frames.last?.kind == 7 && frames.last?.code == 11)
    #expect(client.server.isFinished)
  }

  @Test(arguments: [[], [3, 0, 0, 0]] as [[UInt8]])
  func `Empty DATA frames, padded or not`(_ payload: [UInt8]) {
    let client = RawClient()
    client.send(Raw.request(1, flags: Raw.endHeaders))
    let empty = Raw.frame(.data, flags: payload.isEmpty ? 0 : 8, stream: 1, payload)
    let frames = client.send(Raw.concatenate(Array(repeating: empty, count: 101)))
    expectCalm(client, frames, "empty DATA")
  }

  @Test func `A header list above the limit ends its stream only`() {
    let client = RawClient()
    client.send(Raw.frame(.settings, flags: 1))
    let fields = Raw.minimal + [("big", String(repeating: "x", count: 65_000)), ("more", String(repeating: "y", count: 2000))]
    let frames = client.send(Raw.request(1, fields))
    #expect(frames.contains { $0.kind == 3 && $0.stream == 1 && $0.code == 11 })
    client.send(Raw.request(3))
    #expect(client.events.headers(of: 3) != nil)
  }

  @Test func `A header list that unpacks to far too much ends the connection`() {
    let client = RawClient()
    // One large field put into the dynamic table, then named again and again by one octet.
    let name: [UInt8] =
      [0x40, 1, UInt8(ascii: "a"), 127, 0xa1, 0x1e] + Array(repeating: UInt8(ascii: "b"), count: 127 + 0x21 + (0x1e << 7))
    let frames = client.send(
      Raw.frame(.headers, flags: Raw.endHeaders, stream: 1, Raw.block(Raw.minimal) + name + Array(repeating: 0xbe, count: 10_000)))
    expectCalm(client, frames, "header list")
  }

  @Test func `No more streams than offered are open at once`() {
    let client = RawClient()
    client.send(Raw.frame(.settings, flags: 1))
    var frames: [Frame] = []
    for index in 0..<1001 { frames += client.send(Raw.request(UInt32(2 * index + 1), flags: Raw.endHeaders)) }
    #expect(client.server.openStreams <= 1001)
    #expect(client.events.headers(of: 1999) != nil && client.events.headers(of: 2001) == nil)
    #expect(frames.contains { $0.kind == 7 || $0.kind == 3 })
  }

  @Test func `What is not HTTP/2 ends the connection`() {
    let server = Session(.server)
    server.receive(ByteBuffer(string: "GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
    #expect(server.takeEvents().failure?.0 == .protocolError)
    while server.nextOutput() != nil {}
    #expect(server.isFinished)
  }

  @Test func `A frame larger than offered ends the connection`() {
    let client = RawClient()
    let frames = client.send(ByteBuffer(bytes: [0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1]))
    #expect(frames.last?.kind == 7 && frames.last?.code == 6)
    #expect(client.server.isFinished)
  }
}
