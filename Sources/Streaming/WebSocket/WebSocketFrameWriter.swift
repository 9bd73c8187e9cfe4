import NIOCore

/// A server's frames as bytes; not masked, one frame a message.
enum WebSocketFrameWriter {
  /// All of a data frame that comes before `length` bytes of payload, and `prefix`, which is payload, too.
  static func head(_ opcode: WebSocketOpcode, prefix: UInt8? = nil, length: Int) -> ByteBuffer {
    var buffer = ByteBuffer()
    buffer.reserveCapacity(12)
    buffer.writeInteger(0x80 | opcode.rawValue)
    let total = length + (prefix == nil ? 0 : 1)
    switch total {
    case ..<126: buffer.writeInteger(UInt8(total))
    case ...0xFFFF: buffer.writeMultipleIntegers(UInt8(126), UInt16(total))
    default: buffer.writeMultipleIntegers(UInt8(127), UInt64(total))
    }
    if let prefix { buffer.writeInteger(prefix) }
    return buffer
  }

  static func pong(_ payload: ByteBuffer) -> ByteBuffer {
    var frame = head(.pong, length: payload.readableBytes)
    frame.writeImmutableBuffer(payload)
    return frame
  }

  /// `reason` is cut so that it fits a control frame (section 5.5).
  static func close(_ code: WebSocketViolation.Code, _ reason: String) -> ByteBuffer {
    let text = Array(reason.utf8.prefix(123))
    var frame = head(.close, length: text.count + 2)
    frame.writeInteger(code.rawValue)
    frame.writeBytes(text)
    return frame
  }
}
