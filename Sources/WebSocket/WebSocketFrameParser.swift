package import NIOCore

/// The other side's bytes in, events out. Payload goes through in pieces as it comes, so a message of any length needs no memory.
package struct WebSocketFrameParser {
  private struct Frame {
    let opcode: WebSocketOpcode
    let isFinal: Bool
    /// A message's first frame, of which nothing was told yet.
    var begins: Bool
    var left: UInt64
    /// As in memory: byte i masks payload byte i modulo 4. Turned as payload is read.
    var mask: UInt32
  }

  private var buffer = ByteBuffer()
  private var frame: Frame?
  /// A message has begun and not ended (section 5.4).
  package private(set) var isInMessage = false
  private let side: WebSocketSide

  /// `side`: whose bytes these are.
  package init(of side: WebSocketSide = .client) { self.side = side }

  /// Takes `bytes` over: what is masked in them is overwritten.
  package mutating func feed(_ bytes: ByteBuffer) {
    if buffer.readableBytes == 0 {
      buffer = bytes
    } else {
      buffer.writeImmutableBuffer(bytes)
    }
  }

  /// The next event; nil where more bytes are needed first.
  package mutating func next() throws(WebSocketViolation) -> WebSocketEvent? {
    if frame == nil { frame = try readHead() }
    guard let current = frame else { return nil }
    return current.opcode.isControl ? try control(current) : payload(current)
  }

  private mutating func payload(_ current: Frame) -> WebSocketEvent? {
    var current = current
    let count = Int(min(current.left, UInt64(buffer.readableBytes)))
    if count == 0 && current.left > 0 { return nil }
    let bytes = unmasked(count, &current.mask)
    let begins = current.begins
    (current.left, current.begins) = (current.left - UInt64(count), false)
    frame = current.left == 0 ? nil : current
    isInMessage = current.left > 0 || !current.isFinal
    return .payload(bytes, begins: begins)
  }

  private mutating func control(_ current: Frame) throws(WebSocketViolation) -> WebSocketEvent? {
    guard buffer.readableBytes >= Int(current.left) else { return nil }
    var mask = current.mask
    var bytes = unmasked(Int(current.left), &mask)
    frame = nil
    switch current.opcode {
    case .ping: return .ping(bytes)
    case .pong: return .pong
    default:
      guard bytes.readableBytes != 1 else { throw WebSocketViolation("a close frame of one byte") }
      return .close(bytes.readInteger())
    }
  }

  private mutating func unmasked(_ count: Int, _ mask: inout UInt32) -> ByteBuffer {
    // In place: a network's buffers are also held by their pool, so that the proper way would copy every payload first.
    if mask != 0 {
      buffer.withUnsafeReadableBytes { Mask.apply(mask, to: UnsafeMutableRawBufferPointer(mutating: .init(rebasing: $0.prefix(count)))) }
    }
    mask = Mask.turned(mask, by: count)
    return buffer.readSlice(length: count) ?? ByteBuffer()
  }

  /// Section 5.2.
  private mutating func readHead() throws(WebSocketViolation) -> Frame? {
    let start = buffer.readerIndex
    guard let first = buffer.getInteger(at: start, as: UInt8.self), let second = buffer.getInteger(at: start + 1, as: UInt8.self) else {
      return nil
    }
    let opcode = try opcode(first)
    guard (second & 0x80 != 0) == side.masks else {
      throw WebSocketViolation(side.masks ? "a client's frame without a mask" : "a server's frame with a mask")
    }
    let short = UInt64(second & 0x7F)
    guard !opcode.isControl || (short < 126 && first & 0x80 != 0) else {
      throw WebSocketViolation("a control frame that is long or in parts")
    }
    let extra = short == 126 ? 2 : short == 127 ? 8 : 0
    guard buffer.readableBytes >= 2 + extra + (side.masks ? 4 : 0) else { return nil }
    buffer.moveReaderIndex(forwardBy: 2)
    let length = try self.length(short)
    let mask = side.masks ? buffer.readInteger(endianness: .host, as: UInt32.self) ?? 0 : 0
    let begins = !opcode.isControl && opcode != .continuation
    return Frame(opcode: opcode, isFinal: first & 0x80 != 0, begins: begins, left: length, mask: mask)
  }

  private func opcode(_ first: UInt8) throws(WebSocketViolation) -> WebSocketOpcode {
    guard first & 0x70 == 0 else { throw WebSocketViolation("a frame with a reserved bit") }
    guard let opcode = WebSocketOpcode(rawValue: first & 0x0F) else { throw WebSocketViolation("a frame of a reserved kind") }
    if !opcode.isControl && (opcode == .continuation) != isInMessage {
      throw WebSocketViolation(isInMessage ? "a message within a message" : "a continuation of nothing")
    }
    return opcode
  }

  private mutating func length(_ short: UInt64) throws(WebSocketViolation) -> UInt64 {
    var length = short
    if short == 126 { length = UInt64(buffer.readInteger(as: UInt16.self) ?? 0) }
    if short == 127 { length = buffer.readInteger(as: UInt64.self) ?? 0 }
    guard length <= UInt64(Int64.max) else { throw WebSocketViolation("a length with its highest bit set") }
    return length
  }
}
