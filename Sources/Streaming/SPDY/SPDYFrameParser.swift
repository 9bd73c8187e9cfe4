import NIOCore

/// Bytes in, frames out. Data goes through in pieces as it comes and is never collected; a control frame is, up to ``limit``.
struct SPDYFrameParser {
  /// Bytes of a control frame's payload. Kubernetes' clients send header blocks of a hundred bytes.
  static let limit = 16 << 10
  static let version: UInt16 = 3

  private var buffer = ByteBuffer()
  /// The rest of a data frame that has begun.
  private var data: (stream: UInt32, left: Int, fin: Bool)?

  mutating func feed(_ bytes: ByteBuffer) {
    if buffer.readableBytes == 0 {
      buffer = bytes
    } else {
      buffer.writeImmutableBuffer(bytes)
    }
  }

  /// The next frame; nil where more bytes are needed first.
  mutating func next() throws(SPDYViolation) -> SPDYFrame? {
    while true {
      if data != nil { return piece() }
      guard let first = buffer.getInteger(at: buffer.readerIndex, as: UInt32.self) else { return nil }
      guard let second = buffer.getInteger(at: buffer.readerIndex + 4, as: UInt32.self) else { return nil }
      let flags = UInt8(second >> 24)
      let length = Int(second & 0xFF_FFFF)
      if first & 0x8000_0000 == 0 {
        try beginData(first, flags, length)
      } else {
        guard length <= Self.limit else { throw SPDYViolation("a control frame of \(length) bytes") }
        guard buffer.readableBytes >= 8 + length else { return nil }
        buffer.moveReaderIndex(forwardBy: 8)
        if let frame = try control(first, flags, buffer.readSlice(length: length) ?? ByteBuffer()) { return frame }
      }
    }
  }

  private mutating func beginData(_ stream: UInt32, _ flags: UInt8, _ length: Int) throws(SPDYViolation) {
    guard stream != 0 else { throw SPDYViolation("data for stream 0") }
    buffer.moveReaderIndex(forwardBy: 8)
    data = (stream, length, flags & SPDYFlag.fin != 0)
  }

  private mutating func piece() -> SPDYFrame? {
    guard let (stream, left, fin) = data else { return nil }
    let count = min(left, buffer.readableBytes)
    if count == 0 && left > 0 { return nil }
    let bytes = buffer.readSlice(length: count) ?? ByteBuffer()
    data = count == left ? nil : (stream, left - count, fin)
    return .data(stream, bytes, end: fin && count == left)
  }

  /// nil for a type that is not known: those are skipped (section 2.2.1).
  private func control(_ head: UInt32, _ flags: UInt8, _ payload: ByteBuffer) throws(SPDYViolation) -> SPDYFrame? {
    let version = UInt16(head >> 16 & 0x7FFF)
    guard version == Self.version else { throw SPDYViolation("a frame of version \(version)") }
    guard let type = SPDYType(rawValue: UInt16(truncatingIfNeeded: head)) else { return nil }
    var payload = payload
    switch type {
    case .synStream: return try synStream(flags, &payload)
    case .synReply: return .synReply(try stream(&payload, type), flags: flags, block: payload)
    case .headers: return .headers(try stream(&payload, type), flags: flags, block: payload)
    case .settings: return try settings(&payload)
    case .ping: return .ping(try numbers(payload, 1, type)[0])
    case .resetStream, .goAway, .windowUpdate: return try pair(payload, type)
    }
  }

  private func pair(_ payload: ByteBuffer, _ type: SPDYType) throws(SPDYViolation) -> SPDYFrame {
    let pair = try numbers(payload, 2, type)
    let stream = pair[0] & 0x7FFF_FFFF
    switch type {
    case .goAway: return .goAway(lastGood: stream)
    case .windowUpdate: return .windowUpdate(stream, delta: pair[1] & 0x7FFF_FFFF)
    default:
      guard stream != 0 else { throw SPDYViolation("a reset of stream 0") }
      return .resetStream(stream, status: pair[1])
    }
  }

  /// Stream, associated stream, priority and credential slot, then the header block (section 2.6.1).
  private func synStream(_ flags: UInt8, _ payload: inout ByteBuffer) throws(SPDYViolation) -> SPDYFrame {
    let id = try stream(&payload, .synStream)
    guard payload.readInteger(as: UInt32.self) != nil, payload.readInteger(as: UInt16.self) != nil else {
      throw SPDYViolation("a \(SPDYType.synStream) frame that is too short")
    }
    return .synStream(id, flags: flags, block: payload)
  }

  private func stream(_ payload: inout ByteBuffer, _ type: SPDYType) throws(SPDYViolation) -> UInt32 {
    guard let number = payload.readInteger(as: UInt32.self) else { throw SPDYViolation("a \(type) frame that is too short") }
    guard number & 0x7FFF_FFFF != 0 else { throw SPDYViolation("a \(type) frame for stream 0") }
    return number & 0x7FFF_FFFF
  }

  private func settings(_ payload: inout ByteBuffer) throws(SPDYViolation) -> SPDYFrame {
    guard let count = payload.readInteger(as: UInt32.self), payload.readableBytes == Int(count) * 8 else {
      throw SPDYViolation("a settings frame of the wrong length")
    }
    var settings: [SPDYSetting] = []
    while let id = payload.readInteger(as: UInt32.self), let value = payload.readInteger(as: UInt32.self) {
      settings.append(SPDYSetting(id: id & 0xFF_FFFF, value: value))
    }
    return .settings(settings)
  }

  private func numbers(_ payload: ByteBuffer, _ count: Int, _ type: SPDYType) throws(SPDYViolation) -> [UInt32] {
    var payload = payload
    guard payload.readableBytes == count * 4 else { throw SPDYViolation("a \(type) frame of the wrong length") }
    var numbers: [UInt32] = []
    while let number = payload.readInteger(as: UInt32.self) { numbers.append(number) }
    return numbers
  }
}
