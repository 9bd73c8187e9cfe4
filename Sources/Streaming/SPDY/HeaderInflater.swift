import CZlib
import NIOCore

/// Decompresses the header blocks of one connection, in order: they share one zlib stream.
/// The one owner of its `z_stream`.
final class HeaderInflater {
  /// Bytes of one block when inflated; a small frame can hold a big lie.
  static let limit = 32 << 10

  private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)

  init() {
    stream.initialize(to: z_stream())
    let result = inflateInit_(stream, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    precondition(result == Z_OK, "inflateInit: \(result)")
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
  }

  func inflate(_ block: ByteBuffer) throws(SPDYViolation) -> [UInt8] {
    var block = block
    var output = [UInt8](repeating: 0, count: Self.limit)
    let (result, left, room) = block.withUnsafeMutableReadableBytes { input in
      output.withUnsafeMutableBytes { run(input, $0) }
    }
    guard result == Z_OK || result == Z_BUF_ERROR, left == 0 else { throw SPDYViolation("a header block that cannot be decompressed") }
    guard room > 0 else { throw SPDYViolation("a header block of more than \(Self.limit) bytes") }
    output.removeLast(room)
    return output
  }

  private func run(_ input: UnsafeMutableRawBufferPointer, _ output: UnsafeMutableRawBufferPointer) -> (Int32, left: UInt32, room: Int) {
    stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_in = UInt32(input.count)
    stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_out = UInt32(output.count)
    var result = CZlib.inflate(stream, Z_SYNC_FLUSH)
    if result == Z_NEED_DICT {
      result = inflateSetDictionary(stream, SPDYDictionary.bytes, UInt32(SPDYDictionary.bytes.count))
      if result == Z_OK { result = CZlib.inflate(stream, Z_SYNC_FLUSH) }
    }
    return (result, stream.pointee.avail_in, Int(stream.pointee.avail_out))
  }
}
