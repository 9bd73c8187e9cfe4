import NIOCore

/// HTTP/2 frames written by hand, right or wrong.
enum Raw {
  static let preface = ByteBuffer(string: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")

  enum Kind: UInt8 {
    case data = 0
    case headers = 1
    case priority = 2
    case reset = 3
    case settings = 4
    case ping = 6
    case goAway = 7
    case windowUpdate = 8
    case continuation = 9
  }

  static let endStream: UInt8 = 1
  static let endHeaders: UInt8 = 4

  static func frame(_ kind: Kind, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []) -> ByteBuffer {
    var buffer = ByteBuffer()
    buffer.writeInteger(UInt8(payload.count >> 16))
    buffer.writeInteger(UInt16(truncatingIfNeeded: payload.count))
    buffer.writeInteger(kind.rawValue)
    buffer.writeInteger(flags)
    buffer.writeInteger(stream)
    buffer.writeBytes(payload)
    return buffer
  }

  /// What every client begins with.
  static var opening: ByteBuffer { concatenate([preface, frame(.settings)]) }

  static func request(
    _ stream: UInt32, _ fields: [(String, String)] = minimal, flags: UInt8 = endHeaders | endStream
  ) -> ByteBuffer { frame(.headers, flags: flags, stream: stream, block(fields)) }

  static let minimal = [(":method", "POST"), (":scheme", "http"), (":path", "/s/m"), (":authority", "localhost")]

  /// Literal fields without indexing and without Huffman coding (RFC 7541 section 6.2.2).
  static func block(_ fields: [(String, String)]) -> [UInt8] {
    fields.flatMap { [0] + string($0.0) + string($0.1) }
  }

  static func reset(_ stream: UInt32, _ code: UInt8 = 8) -> ByteBuffer { frame(.reset, stream: stream, [0, 0, 0, code]) }

  static func concatenate(_ buffers: [ByteBuffer]) -> ByteBuffer {
    buffers.reduce(into: ByteBuffer()) { $0.writeImmutableBuffer($1) }
  }

  private static func string(_ text: String) -> [UInt8] { length(text.utf8.count) + Array(text.utf8) }

  /// A seven-bit prefix integer (RFC 7541 section 5.1).
  private static func length(_ count: Int) -> [UInt8] {
    if count < 127 { return [UInt8(count)] }
    var rest = count - 127
    var octets: [UInt8] = [127]
    while rest >= 128 {
      octets.append(UInt8(rest & 127 | 128))
      rest >>= 7
    }
    return octets + [UInt8(rest)]
  }
}

/// A frame as it was received.
struct Frame {
  let kind: UInt8
  let flags: UInt8
  let stream: UInt32
  let payload: [UInt8]

  static func parse(_ buffer: ByteBuffer) -> [Frame] {
    var buffer = buffer
    var frames: [Frame] = []
    while let high = buffer.readInteger(as: UInt8.self), let low = buffer.readInteger(as: UInt16.self),
      let kind = buffer.readInteger(as: UInt8.self), let flags = buffer.readInteger(as: UInt8.self),
      let stream = buffer.readInteger(as: UInt32.self), let payload = buffer.readBytes(length: Int(high) << 16 | Int(low))
    {
      frames.append(Frame(kind: kind, flags: flags, stream: stream, payload: payload))
    }
    return frames
  }

  /// The code of a RST_STREAM or GOAWAY frame.
  var code: UInt8? { kind == 3 ? payload[3] : kind == 7 ? payload[7] : nil }
}
