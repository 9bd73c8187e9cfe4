import NIOCore
import Testing

@testable import Streaming
@testable import WebSocket

@Suite struct WebSocketTests {
  @Test func `the accept value is the one of the RFC's example`() {
    #expect(WebSocketAccept.value(for: "dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
  }

  @Test func `base64 there and back, in one piece and byte by byte`() throws {
    for count in 0..<50 {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37) }
      let text = Base64.encode(bytes)
      #expect(Base64.decode(text) == bytes)
      var decoder = Base64.Decoder()
      var decoded: [UInt8] = []
      for digit in text { decoded += decoder.decode([digit]) ?? [] }
      #expect(decoded == bytes)
    }
    for bad in ["a", "=", "a===", "ab=c", "ab c"] { #expect(Base64.decode(bad.utf8) == nil) }
  }

  /// A client's frame.
  static func frame(_ first: UInt8, _ payload: [UInt8], mask: [UInt8] = [1, 2, 3, 4]) -> ByteBuffer {
    var buffer = ByteBuffer(integer: first)
    switch payload.count {
    case ..<126: buffer.writeInteger(UInt8(payload.count) | 0x80)
    case ...0xFFFF: buffer.writeMultipleIntegers(UInt8(126 | 0x80), UInt16(payload.count))
    default: buffer.writeMultipleIntegers(UInt8(127 | 0x80), UInt64(payload.count))
    }
    buffer.writeBytes(mask)
    buffer.writeBytes(payload.enumerated().map { $1 ^ mask[$0 % 4] })
    return buffer
  }

  @Test(arguments: [1, 2, 3, 5, 7, 8, 64, 100_000])
  func `messages are the same however their bytes are cut`(size: Int) throws {
    let long = (0..<70_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    var bytes = Self.frame(0x82, [1, 2, 3])
    bytes.writeImmutableBuffer(Self.frame(0x02, Array(long[..<1000])))
    bytes.writeImmutableBuffer(Self.frame(0x89, [9]))
    bytes.writeImmutableBuffer(Self.frame(0x80, Array(long[1000...])))
    bytes.writeImmutableBuffer(Self.frame(0x82, []))
    bytes.writeImmutableBuffer(Self.frame(0x88, [3, 0xE8]))
    var parser = WebSocketFrameParser()
    var (messages, pings, code): ([[UInt8]], Int, UInt16?) = ([], 0, nil)
    while let piece = bytes.readSlice(length: min(size, bytes.readableBytes)), piece.readableBytes > 0 {
      parser.feed(piece)
      while let event = try parser.next() {
        switch event {
        case .payload(let piece, let begins):
          if begins { messages.append([]) }
          messages[messages.count - 1] += Array(piece.readableBytesView)
        case .ping: pings += 1
        case .close(let value): code = value
        case .pong: break
        }
      }
    }
    #expect(messages == [[1, 2, 3], long, []] && pings == 1 && code == 1000)
  }

  @Test func `ill-formed frames are refused`() {
    let bad: [[UInt8]] = [
      [0x82, 0x01, 65],  // no mask
      [0xC2, 0x80, 0, 0, 0, 0],  // a reserved bit
      [0x83, 0x80, 0, 0, 0, 0],  // a reserved kind
      [0x80, 0x80, 0, 0, 0, 0],  // a continuation of nothing
      [0x09, 0x80, 0, 0, 0, 0],  // a ping in parts
      [0x89, 0xFE, 0, 126, 0, 0, 0, 0],  // a ping of 126 bytes
      [0x88, 0x81, 0, 0, 0, 0, 3],  // a close of one byte
      [0x82, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],  // a length beyond 63 bits
    ]
    for bytes in bad {
      var parser = WebSocketFrameParser()
      parser.feed(ByteBuffer(bytes: bytes))
      #expect(throws: WebSocketViolation.self, "\(bytes)") { while try parser.next() != nil {} }
    }
  }

  @Test func `messages name their channel, plain and in base64`() throws {
    var plain = ChannelMessages(isBase64: false, hasCloseSignal: true)
    plain.begin()
    let pieces = try [[0, 65], [66]].map { try plain.payload(ByteBuffer(bytes: $0)) }
    #expect(pieces == [.data(0, ByteBuffer(bytes: [65])), .data(0, ByteBuffer(bytes: [66]))])
    plain.begin()
    let signal = try [[255], [0]].map { try plain.payload(ByteBuffer(bytes: $0)) }
    #expect(signal == [nil, .closed(0)])
    var base64 = ChannelMessages(isBase64: true, hasCloseSignal: false)
    base64.begin()
    let text = try base64.payload(ByteBuffer(string: "0aGVsbG8="))
    #expect(text == .data(0, ByteBuffer(string: "hello")))
    base64.begin()
    #expect(throws: WebSocketViolation.self) { _ = try base64.payload(ByteBuffer(string: "x")) }
  }

  @Test func `a base64 message that ends inside a group of four is refused, in pieces, too`() throws {
    for pieces in [["0aGVsbG8"], ["0aGVs", "bG8"], ["0aGVsb"], ["0a", "GV"], ["0aG="]] {
      var messages = ChannelMessages(isBase64: true, hasCloseSignal: false)
      messages.begin()
      for piece in pieces { _ = try messages.payload(ByteBuffer(string: piece)) }
      let violation = #expect(throws: WebSocketViolation.self) { try messages.end() }
      #expect(violation?.code == .invalidPayload, "\(pieces)")
    }
    for pieces in [["0aGVsbG8="], ["0aGVsb", "G8="], ["0"], []] {
      var messages = ChannelMessages(isBase64: true, hasCloseSignal: false)
      messages.begin()
      for piece in pieces { _ = try messages.payload(ByteBuffer(string: piece)) }
      try messages.end()
    }
  }
}
