package import NIOCore

/// Which end of a WebSocket.
package enum WebSocketSide: Sendable {
  case client, server

  /// A client masks what it sends, a server never does (section 5.1).
  package var masks: Bool { self == .client }
}

/// Frames as bytes, one frame a message.
package enum WebSocketFrameWriter {
  /// All of a server's data frame that comes before `length` bytes of payload, and `prefix`, which is payload, too.
  package static func head(_ opcode: WebSocketOpcode, prefix: UInt8? = nil, length: Int) -> ByteBuffer {
    var buffer = ByteBuffer()
    buffer.reserveCapacity(12)
    writeHead(opcode, length: length + (prefix == nil ? 0 : 1), masked: false, to: &buffer)
    if let prefix { buffer.writeInteger(prefix) }
    return buffer
  }

  /// A client's whole frame, masked with a key that nobody can foretell (section 10.3).
  package static func masked(_ opcode: WebSocketOpcode, prefix: UInt8? = nil, _ payload: ByteBuffer) -> ByteBuffer {
    let length = payload.readableBytes + (prefix == nil ? 0 : 1)
    var generator = SystemRandomNumberGenerator()
    let key: UInt32 = generator.next()
    var buffer = ByteBuffer()
    buffer.reserveCapacity(length + 14)
    writeHead(opcode, length: length, masked: true, to: &buffer)
    buffer.writeInteger(key, endianness: .host)
    let head = buffer.readableBytes
    if let prefix { buffer.writeInteger(prefix) }
    buffer.writeImmutableBuffer(payload)
    buffer.withUnsafeMutableReadableBytes { Mask.apply(key, to: UnsafeMutableRawBufferPointer(rebasing: $0[head...])) }
    return buffer
  }

  /// Section 5.2.
  private static func writeHead(_ opcode: WebSocketOpcode, length: Int, masked: Bool, to buffer: inout ByteBuffer) {
    let bit: UInt8 = masked ? 0x80 : 0
    buffer.writeInteger(0x80 | opcode.rawValue)
    switch length {
    case ..<126: buffer.writeInteger(UInt8(length) | bit)
    case ...0xFFFF: buffer.writeMultipleIntegers(126 | bit, UInt16(length))
    default: buffer.writeMultipleIntegers(127 | bit, UInt64(length))
    }
  }

  package static func pong(_ payload: ByteBuffer) -> ByteBuffer {
    var frame = head(.pong, length: payload.readableBytes)
    frame.writeImmutableBuffer(payload)
    return frame
  }

  /// `reason` is cut so that it fits a control frame (section 5.5).
  package static func close(_ code: WebSocketViolation.Code, _ reason: String) -> ByteBuffer {
    let payload = closePayload(code, reason)
    var frame = head(.close, length: payload.readableBytes)
    frame.writeImmutableBuffer(payload)
    return frame
  }

  package static func closePayload(_ code: WebSocketViolation.Code, _ reason: String) -> ByteBuffer {
    var payload = ByteBuffer(integer: code.rawValue)
    payload.writeBytes(reason.utf8.prefix(123))
    return payload
  }
}
