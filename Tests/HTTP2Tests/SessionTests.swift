import HTTP2
import NIOCore
import Testing

@Suite struct SessionTests {
  @Test func `A request and its response with trailers cross the wire`() throws {
    let pair = SessionPair()
    let id = pair.request(body: ByteBuffer(string: "question"))
    pair.pump()
    #expect(pair.serverEvents.headers(of: id)?[":path"] == "/s/m")
    #expect(pair.serverEvents.body(of: id) == ByteBuffer(string: "question"))
    #expect(pair.serverEvents.hasEnd(of: id))
    pair.server.submitResponse(id, [":status": "200"], body: ByteBuffer(string: "answer"), end: .trailers(["grpc-status": "0"]))
    pair.pump()
    #expect(pair.clientEvents.headers(of: id)?[":status"] == "200")
    #expect(pair.clientEvents.body(of: id) == ByteBuffer(string: "answer"))
    #expect(pair.clientEvents.trailers(of: id)?["grpc-status"] == "0")
    #expect(pair.clientEvents.closed(id) == .noError)
    #expect(pair.serverEvents.closed(id) == .noError)
    #expect(pair.client.openStreams == 0 && pair.server.openStreams == 0)
  }

  @Test func `Bytes may arrive one by one`() {
    let pair = SessionPair()
    let id = pair.request(body: ByteBuffer(string: "question"))
    pair.pump(step: 1)
    #expect(pair.serverEvents.body(of: id) == ByteBuffer(string: "question"))
    pair.server.submitResponse(id, [":status": "200"], body: ByteBuffer(string: "answer"), end: .end)
    pair.pump(step: 1)
    #expect(pair.clientEvents.body(of: id) == ByteBuffer(string: "answer"))
  }

  @Test func `Small and large pieces of a body keep their order`() {
    let pair = SessionPair()
    let id = pair.request()
    pair.pump()
    pair.server.submitResponse(id, [":status": "200"], end: .open)
    var expected = ByteBuffer()
    for (number, size) in [1, 2047, 2048, 2049, 3, 16_384, 70_000, 9, 2048, 40_000, 1].enumerated() {
      let piece = ByteBuffer(repeating: UInt8(number), count: size)
      expected.writeImmutableBuffer(piece)
      pair.server.send(id, body: piece, end: number == 10 ? .end : .open)
    }
    pair.pump()
    #expect(pair.clientEvents.body(of: id) == expected)
    #expect(pair.clientEvents.closed(id) == .noError)
  }

  @Test func `A response may be headers alone, and may have trailers without a body`() {
    let pair = SessionPair()
    let first = pair.request()
    let second = pair.request()
    pair.pump()
    pair.server.submitResponse(first, [":status": "200", "grpc-status": "5"], end: .end)
    pair.server.submitResponse(second, [":status": "200"], end: .trailers(["grpc-status": "0"]))
    pair.pump()
    #expect(pair.clientEvents.headers(of: first)?["grpc-status"] == "5")
    #expect(pair.clientEvents.trailers(of: second)?["grpc-status"] == "0")
    #expect(pair.clientEvents.closed(first) == .noError && pair.clientEvents.closed(second) == .noError)
  }

  @Test func `A body of many pieces arrives whole and in order, over several windows`() {
    let pair = SessionPair()
    let id = pair.request(end: .open)
    var expected = ByteBuffer()
    for round in 0..<40 {
      let piece = ByteBuffer(repeating: UInt8(round), count: 999_983)
      expected.writeImmutableBuffer(piece)
      pair.client.send(id, body: piece, end: round == 39 ? .end : .open)
      pair.pump()
      consumeAll(pair, id)
    }
    pair.pump()
    #expect(pair.serverEvents.body(of: id) == expected)
    #expect(pair.serverEvents.hasEnd(of: id))
  }

  private func consumeAll(_ pair: SessionPair, _ id: StreamID) {
    pair.server.consume(id, 999_983)
    pair.pump()
  }

  @Test func `A reader that takes nothing stops its sender at the stream's window, and no other stream`() {
    let pair = SessionPair()
    let slow = pair.request(body: ByteBuffer(repeating: 1, count: 20 << 20))
    pair.pump()
    #expect(pair.serverEvents.body(of: slow).readableBytes == 8 << 20)
    for _ in 0..<6 { _ = pair.request(body: ByteBuffer(repeating: 2, count: 20 << 20)) }
    pair.pump()
    let quick = pair.request(body: ByteBuffer(string: "quick"))
    pair.pump()
    #expect(pair.serverEvents.hasEnd(of: quick))
    pair.server.consume(slow, 8 << 20)
    pair.pump()
    #expect(pair.serverEvents.body(of: slow).readableBytes == 16 << 20)
  }

  @Test func `A writer is told to wait, and when to go on`() {
    let pair = SessionPair()
    let id = pair.request()
    pair.pump()
    pair.server.submitResponse(id, [":status": "200"], end: .open)
    #expect(pair.server.send(id, body: ByteBuffer(repeating: 0, count: 1000), end: .open))
    #expect(!pair.server.send(id, body: ByteBuffer(repeating: 0, count: 1 << 20), end: .open))
    pair.pump()
    #expect(pair.serverEvents.contains { if case .writable(id) = $0 { true } else { false } })
  }

  @Test func `A reset reaches the other side with its code`() {
    let pair = SessionPair()
    let id = pair.request(end: .open)
    pair.pump()
    pair.client.reset(id, .cancel)
    pair.pump()
    #expect(pair.serverEvents.closed(id) == .cancel)
    #expect(pair.server.openStreams == 0)
  }

  @Test func `A server that has said everything lets go of a request that never ends`() {
    let pair = SessionPair()
    let id = pair.request(end: .open)
    pair.pump()
    pair.server.submitResponse(id, [":status": "200", "grpc-status": "8"], end: .end)
    pair.pump()
    #expect(pair.clientEvents.headers(of: id)?["grpc-status"] == "8")
    #expect(pair.clientEvents.closed(id) == .noError)
    #expect(pair.server.openStreams == 0)
  }

  @Test func `PING is answered`() {
    let pair = SessionPair()
    pair.client.ping()
    pair.pump()
    #expect(pair.clientEvents.contains { if case .pong = $0 { true } else { false } })
  }

  @Test func `GOAWAY lets open streams finish and refuses new ones`() {
    let pair = SessionPair()
    let id = pair.request()
    pair.pump()
    pair.server.goAway()
    pair.pump()
    #expect(!pair.server.isFinished)
    let late = pair.client.submitRequest([":method": "POST", ":scheme": "http", ":path": "/"], end: .end)
    pair.pump()
    if let late { #expect(pair.clientEvents.closed(late) == .refusedStream) }
    pair.server.submitResponse(id, [":status": "200"], end: .end)
    pair.pump()
    #expect(pair.clientEvents.closed(id) == .noError)
    #expect(pair.server.isFinished && pair.client.isFinished)
  }

  @Test func `A session forgets the streams that are over`() {
    let pair = SessionPair()
    for _ in 0..<5000 {
      let id = pair.request(body: ByteBuffer(string: "x"))
      pair.pump()
      pair.server.submitResponse(id, [":status": "200"], end: .end)
      pair.pump()
      pair.clientEvents = []
      pair.serverEvents = []
    }
    #expect(pair.client.openStreams == 0 && pair.server.openStreams == 0)
  }
}
