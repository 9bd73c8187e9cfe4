import NIOCore

/// Frames as bytes.
enum SPDYFrameWriter {
  /// The largest payload of a data frame: its length has 24 bits.
  static let maximumData = 0xFF_FFFF

  /// The eight bytes before a data frame's payload.
  static func dataHead(_ stream: UInt32, length: Int, fin: Bool) -> ByteBuffer {
    var buffer = ByteBuffer()
    buffer.reserveCapacity(8)
    buffer.writeInteger(stream)
    buffer.writeInteger((fin ? UInt32(SPDYFlag.fin) << 24 : 0) | UInt32(length))
    return buffer
  }

  static func synReply(_ stream: UInt32, block: ByteBuffer) -> ByteBuffer {
    var payload = ByteBuffer(integer: stream)
    payload.writeImmutableBuffer(block)
    return control(.synReply, payload)
  }

  static func resetStream(_ stream: UInt32, _ status: SPDYResetStatus) -> ByteBuffer { pair(.resetStream, stream, status.rawValue) }
  static func windowUpdate(_ stream: UInt32, delta: UInt32) -> ByteBuffer { pair(.windowUpdate, stream, delta) }
  /// `failed`: GOAWAY_PROTOCOL_ERROR.
  static func goAway(lastGood: UInt32, failed: Bool) -> ByteBuffer { pair(.goAway, lastGood, failed ? 1 : 0) }
  static func ping(_ id: UInt32) -> ByteBuffer { control(.ping, ByteBuffer(integer: id)) }

  static func settings(_ settings: [SPDYSetting]) -> ByteBuffer {
    var payload = ByteBuffer(integer: UInt32(settings.count))
    for setting in settings {
      payload.writeInteger(setting.id)
      payload.writeInteger(setting.value)
    }
    return control(.settings, payload)
  }

  static func control(_ type: SPDYType, flags: UInt8 = 0, _ payload: ByteBuffer) -> ByteBuffer {
    var frame = ByteBuffer()
    frame.reserveCapacity(8 + payload.readableBytes)
    frame.writeInteger(0x8000_0000 | UInt32(SPDYFrameParser.version) << 16 | UInt32(type.rawValue))
    frame.writeInteger(UInt32(flags) << 24 | UInt32(payload.readableBytes))
    frame.writeImmutableBuffer(payload)
    return frame
  }

  private static func pair(_ type: SPDYType, _ first: UInt32, _ second: UInt32) -> ByteBuffer {
    var payload = ByteBuffer(integer: first)
    payload.writeInteger(second)
    return control(type, payload)
  }
}
