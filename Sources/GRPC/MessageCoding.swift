import NIOCore
import SwiftProtobuf

/// A message with its prefix in one buffer: SwiftProtobuf asks for bytes to write into and gets those after the prefix.
private struct FramedBytes: SwiftProtobufContiguousBytes {
  var buffer: ByteBuffer

  init(repeating octet: UInt8, count: Int) {
    buffer = ByteBufferAllocator().buffer(capacity: MessageDeframer.prefix + count)
    buffer.writeInteger(UInt8(0))
    buffer.writeInteger(UInt32(count))
    buffer.writeRepeatingByte(octet, count: count)
  }

  init(_ sequence: some Sequence<UInt8>) {
    let bytes = Array(sequence)
    self.init(repeating: 0, count: bytes.count)
    buffer.setBytes(bytes, at: MessageDeframer.prefix)
  }

  var count: Int { buffer.readableBytes - MessageDeframer.prefix }

  func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    try buffer.withUnsafeReadableBytes { try body(UnsafeRawBufferPointer(rebasing: $0[MessageDeframer.prefix...])) }
  }

  mutating func withUnsafeMutableBytes<R>(_ body: (UnsafeMutableRawBufferPointer) throws -> R) rethrows -> R {
    try buffer.withUnsafeMutableReadableBytes { try body(UnsafeMutableRawBufferPointer(rebasing: $0[MessageDeframer.prefix...])) }
  }
}

/// Messages to frames and back.
enum MessageCoding {
  /// The message with its prefix. RESOURCE_EXHAUSTED above `limit`.
  static func encode(_ message: some Message, limit: Int, kind: String) throws(GRPCStatus) -> ByteBuffer {
    let framed: FramedBytes
    do { framed = try message.serializedBytes() } catch { throw GRPCStatus(.internal, "\(kind) cannot be encoded: \(error)") }
    try check(framed.count, limit: limit, kind: kind)
    return framed.buffer
  }

  /// RESOURCE_EXHAUSTED where a message of `count` bytes is above `limit`.
  static func check(_ count: Int, limit: Int, kind: String) throws(GRPCStatus) {
    guard count > limit else { return }
    throw GRPCStatus(.resourceExhausted, "\(kind) message of \(count) bytes exceeds the limit of \(limit) bytes")
  }

  /// Decodes straight from the bytes received. INVALID_ARGUMENT (a request) or INTERNAL (a response) where they are no such message.
  static func decode<M: Message>(_ type: M.Type, _ bytes: ByteBuffer, kind: String, failure: GRPCStatus.Code) throws(GRPCStatus) -> M {
    do {
      return try bytes.withUnsafeReadableBytes { try M(serializedBytes: $0.bytes) }
    } catch BinaryDecodingError.invalidUTF8 {
      let place = BrokenText<M>.place(in: Array(bytes.readableBytesView)) ?? "a string"
      throw GRPCStatus(failure, "\(kind) is not a valid \(M.protoMessageName): \(place): is not UTF-8")
    } catch { throw GRPCStatus(failure, "\(kind) is not a valid \(M.protoMessageName): \(error)") }
  }
}
