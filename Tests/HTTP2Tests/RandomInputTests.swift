import HTTP2
import NIOCore
import Testing

/// Nothing that a peer can send crashes a session, and what it holds stays bounded. Every run tries the same inputs.
@Suite struct RandomInputTests {
  /// SplitMix64.
  private struct Random: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      var z = state
      z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
      z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
      return z ^ z >> 31
    }
  }

  @Test func `Random bytes`() {
    var random = Random(state: 1)
    for _ in 0..<3000 {
      let client = RawClient()
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        client.send(ByteBuffer(bytes: (0..<Int.random(in: 1...200, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }))
      }
    }
  }

  @Test func `Random frames, answered at random`() {
    var random = Random(state: 2)
    for _ in 0..<2000 {
      let client = RawClient()
      for _ in 0..<Int.random(in: 1...30, using: &random) {
        client.send(frame(&random))
        answer(client, &random)
      }
      #expect(client.server.openStreams <= 1000)
    }
  }

  @Test func `Good conversations with octets flipped`() {
    var random = Random(state: 3)
    for _ in 0..<3000 {
      var bytes = Array(
        Raw.concatenate([
          Raw.opening, Raw.request(1, flags: Raw.endHeaders), Raw.frame(.data, stream: 1, [0, 0, 0, 0, 2, 8, 1]),
          Raw.request(3), Raw.frame(.ping, [0, 0, 0, 0, 0, 0, 0, 0]), Raw.request(1, [("t", "x")]), Raw.reset(3),
        ]
        ).readableBytesView)
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        bytes[Int.random(in: 24..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      let server = Session(.server)
      server.receive(ByteBuffer(bytes: bytes))
      while server.nextOutput() != nil {}
      let client = Session(.client)
      _ = client.submitRequest([":method": "POST", ":scheme": "http", ":path": "/"], end: .end)
      while client.nextOutput() != nil {}
      client.receive(ByteBuffer(bytes: bytes.dropFirst(24)))
      while client.nextOutput() != nil {}
    }
  }

  private func frame(_ random: inout Random) -> ByteBuffer {
    let stream = UInt32.random(in: 0...9, using: &random)
    switch Int.random(in: 0..<10, using: &random) {
    case 0...3: return Raw.request(stream | 1, flags: [0, 1, 4, 5, 5, 5].randomElement(using: &random)!)
    case 4: return Raw.reset(stream)
    case 5, 6:
      let payload = [UInt8](repeating: 1, count: Int.random(in: 0...64, using: &random))
      return Raw.frame(.data, flags: [0, 1, 8, 9].randomElement(using: &random)!, stream: stream, payload)
    default:
      let kind = [Raw.Kind.priority, .settings, .ping, .goAway, .windowUpdate, .continuation].randomElement(using: &random)!
      let count = [0, 4, 5, 6, 8, 12].randomElement(using: &random)!
      let payload = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
      return Raw.frame(kind, flags: UInt8.random(in: 0...15, using: &random), stream: stream, payload)
    }
  }

  private func answer(_ client: RawClient, _ random: inout Random) {
    for case .headers(let stream, _) in client.events {
      switch Int.random(in: 0..<5, using: &random) {
      case 0: client.server.submitResponse(stream, [":status": "200"], body: ByteBuffer(string: "x"), end: .trailers(["a": "b"]))
      case 1: client.server.submitResponse(stream, [":status": "200"], end: .end)
      case 2: client.server.reset(stream, .cancel)
      case 3: client.server.goAway()
      default: client.server.consume(stream, 10)
      }
    }
    client.events = []
    _ = client.exchange()
  }
}
