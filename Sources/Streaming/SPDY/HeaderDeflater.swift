import CZlib
import NIOCore

/// Compresses the header blocks of one connection, in order. The one owner of its `z_stream`.
final class HeaderDeflater {
  private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)

  /// The smallest window that the dictionary fits in, and the smallest tables: a connection sends a handful of empty blocks.
  private static let windowBits: Int32 = 11
  private static let memoryLevel: Int32 = 1

  init() {
    stream.initialize(to: z_stream())
    let result = deflateInit2_(
      stream, Z_BEST_SPEED, Z_DEFLATED, Self.windowBits, Self.memoryLevel, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size))
    precondition(result == Z_OK, "deflateInit2: \(result)")
    deflateSetDictionary(stream, SPDYDictionary.bytes, UInt32(SPDYDictionary.bytes.count))
  }

  deinit {
    deflateEnd(stream)
    stream.deallocate()
  }

  func deflate(_ block: [UInt8]) -> ByteBuffer {
    var input = block
    var output = ByteBuffer()
    let room = Int(deflateBound(stream, UInt(block.count))) + 16
    input.withUnsafeMutableBytes { input in
      stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
      stream.pointee.avail_in = UInt32(input.count)
      output.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { space in
        stream.pointee.next_out = space.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(space.count)
        _ = CZlib.deflate(stream, Z_SYNC_FLUSH)
        return space.count - Int(stream.pointee.avail_out)
      }
    }
    return output
  }
}
