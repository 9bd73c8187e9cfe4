import NIOCore

/// Cuts a stream's body into messages: a flag octet, four octets of length, the message (gRPC over HTTP/2, "Length-Prefixed-Message").
struct MessageDeframer {
  static let prefix = 5

  /// Largest message accepted.
  let limit: Int
  /// `request` or `response`, for error texts.
  let kind: String
  /// The sender's `grpc-encoding`.
  var encoding: String?
  /// The one that is understood beside none.
  var compression: GRPCCompression?
  private var buffer = ByteBuffer()

  init(limit: Int, kind: String, encoding: String? = nil) {
    self.limit = limit
    self.kind = kind
    self.encoding = encoding
  }

  mutating func append(_ chunk: ByteBuffer) {
    if buffer.readableBytes == 0 {
      buffer = chunk
    } else {
      var chunk = chunk
      buffer.writeBuffer(&chunk)
    }
  }

  /// The next whole message, `nil` until there is one.
  mutating func next() throws(GRPCStatus) -> ByteBuffer? {
    let start = buffer.readerIndex
    guard let flag = buffer.getInteger(at: start, as: UInt8.self) else { return nil }
    let unpack = try unpacking(flag)
    guard let length = buffer.getInteger(at: start + 1, as: UInt32.self) else { return nil }
    guard Int(length) <= limit else {
      throw GRPCStatus(.resourceExhausted, "\(kind) message of \(length) bytes exceeds the limit of \(limit) bytes")
    }
    guard buffer.readableBytes >= Self.prefix + Int(length) else { return nil }
    buffer.moveReaderIndex(forwardBy: Self.prefix)
    let message = buffer.readSlice(length: Int(length))
    guard let unpack, let message else { return message }
    guard let bytes = unpack(Array(message.readableBytesView), limit) else {
      throw GRPCStatus(.internal, "\(kind) message is not \(encoding ?? ""), or of more than \(limit) bytes")
    }
    return ByteBuffer(bytes: bytes)
  }

  /// Throws where the body ended inside a message.
  func finish() throws(GRPCStatus) {
    guard buffer.readableBytes > 0 else { return }
    guard let length = buffer.getInteger(at: buffer.readerIndex + 1, as: UInt32.self), buffer.readableBytes >= Self.prefix else {
      throw GRPCStatus(.internal, "\(kind) ended inside a message's prefix: \(buffer.readableBytes) of \(Self.prefix) bytes")
    }
    throw GRPCStatus(.internal, "\(kind) ended inside a message: \(buffer.readableBytes - Self.prefix) of \(length) bytes")
  }

  /// Nil where a message needs none.
  private func unpacking(_ flag: UInt8) throws(GRPCStatus) -> ((_ bytes: [UInt8], _ limit: Int) -> [UInt8]?)? {
    switch flag {
    case 0: return nil
    case 1 where encoding != nil && encoding == compression?.name: return compression?.unpack
    case 1 where encoding != nil && encoding != "identity":
      throw GRPCStatus(.unimplemented, "\(kind) message compressed with \"\(encoding!)\": only identity is supported")
    case 1: throw GRPCStatus(.internal, "\(kind) message is marked compressed, but no grpc-encoding was named")
    default: throw GRPCStatus(.internal, "malformed \(kind) frame: compression flag \(flag)")
    }
  }
}
