import Linux
import NIOCore
import Testing

@testable import Streaming
@testable import WebSocket

/// Nothing that a client can send crashes a parser, keeps it from ending, or makes it hold more than a bounded number of bytes.
///
/// Every run has another seed, which it prints; `BERTH_FUZZ_SEED` repeats one, `BERTH_FUZZ_SECONDS` makes it long.
@Suite(.serialized) struct FuzzTests {
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

  private func setting(_ name: String) -> String? {
    ProcessEnvironment.strings.first { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.utf8.count + 1)) }
  }

  /// Runs `round` with new random numbers until the time is over; a failing round's seed is printed with the failure.
  private func fuzz(_ name: String, _ round: (inout Random) throws -> Void) rethrows {
    let fixed = setting("BERTH_FUZZ_SEED").flatMap { UInt64($0) }
    let seconds = setting("BERTH_FUZZ_SECONDS").flatMap { Double($0) } ?? 1
    let first = fixed ?? UInt64.random(in: 0...UInt64.max)
    print("\(name): first seed \(first)")
    let end = ContinuousClock.now + .seconds(seconds)
    var rounds: UInt64 = 0
    repeat {
      var random = Random(state: first &+ rounds)
      try round(&random)
      rounds += 1
    } while fixed == nil && ContinuousClock.now < end
    print("\(name): \(rounds) rounds")
  }

  /// `bytes` in random pieces, some of their bits turned.
  private func pieces(_ bytes: [UInt8], _ random: inout Random) -> [ByteBuffer] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 0...4, using: &random) where !bytes.isEmpty {
      bytes[Int.random(in: bytes.indices, using: &random)] ^= 1 << UInt8.random(in: 0...7, using: &random)
    }
    var pieces: [ByteBuffer] = []
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = Int.random(in: 1...max(1, min(rest.count, 200)), using: &random)
      pieces.append(ByteBuffer(bytes: rest.prefix(count)))
      rest = rest.dropFirst(count)
    }
    return pieces
  }

  private func noise(_ limit: Int, _ random: inout Random) -> [UInt8] {
    (0..<Int.random(in: 0...limit, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
  }

  @Test func `HTTP request heads`() {
    fuzz("http") { random in
      var text = "POST /exec/abc HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"
      for _ in 0..<Int.random(in: 0...5, using: &random) { text += "X-\(random.next()): \(random.next())\r\n" }
      let bytes = Bool.random(using: &random) ? Array((text + "\r\n").utf8) : noise(40_000, &random)
      var parser = RequestHeadParser()
      do throws(HTTPRefusal) {
        for var piece in pieces(bytes, &random) {
          if let head = try parser.read(&piece) {
            _ = try? Negotiation.upgrade(head, for: .exec)
            return
          }
          #expect(piece.readableBytes == 0)
        }
        #expect(bytes.count < RequestHeadParser.limit)
      } catch {}
    }
  }

  @Test func `SPDY sessions`() {
    fuzz("spdy") { random in
      var session = SPDYSession()
      let deflater = HeaderDeflater()
      var bytes: [UInt8] = []
      for _ in 0..<Int.random(in: 1...30, using: &random) { bytes += Array(spdyFrame(deflater, &random).readableBytesView) }
      do throws(SPDYViolation) {
        for piece in pieces(bytes, &random) {
          session.feed(piece)
          while let event = try session.next() { answer(event, &session, &random) }
        }
      } catch { session.goAway(failed: true) }
      #expect(session.streams.count <= SPDYSession.streamLimit)
      let waiting = session.streams.values.reduce(0) { $0 + $1.pending.readableBytes }
      #expect(waiting <= 30 * 2000)
      expectWellFormed(session.takeOutgoing())
    }
  }

  /// What the server says is always whole frames.
  private func expectWellFormed(_ frames: [ByteBuffer]) {
    var parser = SPDYFrameParser()
    var total = 0
    for frame in frames {
      parser.feed(frame)
      total += frame.readableBytes
    }
    do throws(SPDYViolation) {
      while let frame = try parser.next() {
        if case .data(_, let bytes, _) = frame { total -= bytes.readableBytes }
      }
    } catch { Issue.record("the server's own frames are ill-formed: \(error)") }
    #expect(total >= 0)
  }

  private func spdyFrame(_ deflater: HeaderDeflater, _ random: inout Random) -> ByteBuffer {
    let id = UInt32.random(in: 0...20, using: &random)
    switch Int.random(in: 0...9, using: &random) {
    case 0...2:
      var payload = ByteBuffer(integer: id * 2 + 1)
      payload.writeMultipleIntegers(UInt32(0), UInt16(0))
      let headers = HeaderBlock(["streamtype": "data", "port": "\(random.next())"])
      payload.writeImmutableBuffer(deflater.deflate(Bool.random(using: &random) ? headers.encoded : noise(100, &random)))
      return SPDYFrameWriter.control(.synStream, flags: UInt8.random(in: 0...3, using: &random), payload)
    case 3...5:
      let data = noise(500, &random)
      var frame = SPDYFrameWriter.dataHead(id, length: data.count, fin: Bool.random(using: &random))
      frame.writeBytes(data)
      return frame
    case 6: return SPDYFrameWriter.windowUpdate(id, delta: UInt32.random(in: 0...0x7FFF_FFFF, using: &random))
    case 7:
      return SPDYFrameWriter.settings([SPDYSetting(id: 7, value: UInt32.random(in: 0...100_000, using: &random))])
    case 8: return SPDYFrameWriter.resetStream(id, .cancel)
    default: return SPDYFrameWriter.control(.ping, ByteBuffer(bytes: noise(12, &random)))
    }
  }

  private func answer(_ event: SPDYSession.Event, _ session: inout SPDYSession, _ random: inout Random) {
    switch event {
    case .opened(let id, _, _): if Bool.random(using: &random) { session.accept(id) } else { session.reset(id, .refusedStream) }
    case .data(let id, let bytes):
      session.took(id, bytes.readableBytes)
      session.send(id, ByteBuffer(repeating: 1, count: Int.random(in: 0...2000, using: &random)))
    case .ended(let id): session.finish(id)
    case .reset, .windowOpened: break
    }
  }

  /// Bytes of payload that came out before the end or the first violation.
  private func payload(of pieces: [ByteBuffer], _ parser: inout WebSocketFrameParser, _ messages: inout ChannelMessages) -> Int {
    var seen = 0
    do throws(WebSocketViolation) {
      for piece in pieces {
        parser.feed(piece)
        while let event = try parser.next() {
          switch event {
          case .payload(let piece, let begins):
            if begins { messages.begin() }
            seen += piece.readableBytes
            _ = try messages.payload(piece)
            if !parser.isInMessage { try messages.end() }
          default: break
          }
        }
      }
    } catch {}
    return seen
  }

  @Test func `WebSocket frames and channel messages`() {
    fuzz("websocket") { random in
      var bytes: [UInt8] = []
      for _ in 0..<Int.random(in: 1...20, using: &random) {
        let first = [0x82, 0x81, 0x02, 0x80, 0x00, 0x89, 0x8A, 0x88].randomElement(using: &random) ?? 0x82
        let mask = noise(4, &random) + [1, 2, 3, 4]
        bytes += Array(WebSocketTests.frame(UInt8(first), noise(300, &random), mask: Array(mask.prefix(4))).readableBytesView)
      }
      var parser = WebSocketFrameParser()
      var messages = ChannelMessages(isBase64: Bool.random(using: &random), hasCloseSignal: Bool.random(using: &random))
      #expect(payload(of: pieces(bytes, &random), &parser, &messages) <= bytes.count)
    }
  }

  @Test func `what a server may say to our own client`() {
    fuzz("client") { random in
      var bytes: [UInt8] = []
      for _ in 0..<Int.random(in: 1...20, using: &random) {
        let payload = ByteBuffer(bytes: noise(300, &random))
        let opcode = [WebSocketOpcode.binary, .text, .ping, .pong, .close].randomElement(using: &random) ?? .binary
        var frame = WebSocketFrameWriter.head(opcode, prefix: UInt8.random(in: 0...255, using: &random), length: payload.readableBytes)
        frame.writeImmutableBuffer(payload)
        bytes += Array((Bool.random(using: &random) ? frame : WebSocketFrameWriter.masked(opcode, payload)).readableBytesView)
      }
      var handshake = ClientHandshake(host: "h", path: "/", subprotocol: "v5.channel.k8s.io")
      for var piece in pieces(Bool.random(using: &random) ? Array("HTTP/1.1 101 OK\r\n".utf8) + bytes : noise(40_000, &random), &random) {
        if (try? handshake.read(&piece)) != false { break }
      }
      var parser = WebSocketFrameParser(of: .server)
      var messages = ChannelMessages(isBase64: false, hasCloseSignal: true)
      #expect(payload(of: pieces(bytes, &random), &parser, &messages) <= bytes.count)
    }
  }

  @Test func `sizes of terminals`() {
    fuzz("resize") { random in
      var parser = ResizeParser()
      let good = "{\"Width\":\(UInt16.random(in: 0...999, using: &random)),\"Height\":24}"
      for piece in pieces(Bool.random(using: &random) ? Array(good.utf8) : noise(2000, &random), &random) { _ = parser.feed(piece) }
      #expect(parser.feed(ByteBuffer(string: "{\"Width\":80,\"Height\":24}")) == [.init(columns: 80, rows: 24)])
    }
  }
}
