package import NIOCore

/// One ttrpc frame: a header of ten bytes (length, stream, type, flags; big-endian) and its payload.
package struct Frame: Sendable, Hashable {
  package static let headerLength = 10
  package static let largestPayload = 4 << 20

  /// The header's type byte.
  package enum Kind: UInt8, Sendable {
    case request = 1
    case response = 2
    case data = 3
  }

  /// Clients' streams are odd.
  package var stream: UInt32
  package var kind: Kind
  /// 0x01 remote closed, 0x02 remote open, 0x04 no data: streaming calls only.
  package var flags: UInt8
  package var payload: ByteBuffer

  package init(stream: UInt32, kind: Kind, flags: UInt8 = 0, payload: ByteBuffer) {
    self.stream = stream
    self.kind = kind
    self.flags = flags
    self.payload = payload
  }

  /// Takes one frame off the front; nil while it is incomplete. Throws ``FrameError`` for what can never become one.
  package init?(from buffer: inout ByteBuffer) throws(FrameError) {
    guard let (length, stream, type, flags) = buffer.peekMultipleIntegers(as: (UInt32, UInt32, UInt8, UInt8).self) else { return nil }
    guard length <= Self.largestPayload else { throw .oversized(length) }
    guard let kind = Kind(rawValue: type) else { throw .unknownType(type) }
    guard buffer.readableBytes >= Self.headerLength + Int(length) else { return nil }
    buffer.moveReaderIndex(forwardBy: Self.headerLength)
    self.init(stream: stream, kind: kind, flags: flags, payload: buffer.readSlice(length: Int(length))!)
  }

  package func write(to buffer: inout ByteBuffer) {
    buffer.reserveCapacity(minimumWritableBytes: Self.headerLength + payload.readableBytes)
    buffer.writeMultipleIntegers(UInt32(payload.readableBytes), stream, kind.rawValue, flags)
    buffer.writeImmutableBuffer(payload)
  }
}

/// Bytes that are no ttrpc. The connection cannot go on after it: where the next frame begins is unknown.
package enum FrameError: Error, Hashable, CustomStringConvertible {
  case oversized(UInt32)
  case unknownType(UInt8)
  case unexpected(Frame.Kind)
  case unknownStream(UInt32)
  case truncated

  package var description: String {
    switch self {
    case .oversized(let length): "ttrpc frame of \(length) bytes, more than \(Frame.largestPayload)"
    case .unknownType(let type): "ttrpc frame of unknown type \(type)"
    case .unexpected(let kind): "ttrpc \(kind) frame where none may come"
    case .unknownStream(let stream): "ttrpc frame for stream \(stream), which was never opened"
    case .truncated: "connection closed in the middle of a ttrpc frame"
    }
  }
}

/// Frames out of bytes, for a channel's pipeline.
package struct FrameDecoder: ByteToMessageDecoder {
  package typealias InboundOut = Frame

  package init() {}

  package func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
    guard let frame = try Frame(from: &buffer) else { return .needMoreData }
    context.fireChannelRead(wrapInboundOut(frame))
    return .continue
  }

  package func decodeLast(context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool) throws -> DecodingState {
    while try decode(context: context, buffer: &buffer) == .continue {}
    if seenEOF && buffer.readableBytes > 0 { throw FrameError.truncated }
    return .needMoreData
  }
}
