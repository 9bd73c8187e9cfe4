import CZlib

/// gzip (RFC 1952) of whole messages.
enum Gzip {
  /// The largest window, and gzip's header and trailer around what zlib makes (zlib.h, deflateInit2).
  private static let window: Int32 = 15 + 16
  private static let size = Int32(MemoryLayout<z_stream>.size)

  static func pack(_ bytes: [UInt8]) -> [UInt8]? {
    withStream { stream in
      guard deflateInit2_(stream, Z_BEST_SPEED, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size) == Z_OK else { return nil }
      defer { deflateEnd(stream) }
      return whole(bytes, room: Int(deflateBound(stream, UInt(bytes.count))), stream) { deflate($0, Z_FINISH) }
    }
  }

  /// Nil where it is no gzip, or more than `limit` bytes of content.
  static func unpack(_ bytes: [UInt8], limit: Int) -> [UInt8]? {
    withStream { stream in
      guard inflateInit2_(stream, window, ZLIB_VERSION, size) == Z_OK else { return nil }
      defer { inflateEnd(stream) }
      return whole(bytes, room: limit, stream) { inflate($0, Z_FINISH) }
    }
  }

  private typealias Stream = UnsafeMutablePointer<z_stream>

  /// zlib keeps its address.
  private static func withStream<T>(_ body: (Stream) -> T) -> T {
    let stream = Stream.allocate(capacity: 1)
    stream.initialize(to: z_stream())
    defer { stream.deallocate() }
    return body(stream)
  }

  private static func whole(_ bytes: [UInt8], room: Int, _ stream: Stream, _ step: (Stream) -> Int32) -> [UInt8]? {
    var (input, result) = (bytes, Z_OK)
    let output = input.withUnsafeMutableBufferPointer { input in
      [UInt8](unsafeUninitializedCapacity: room) { space, count in
        (stream.pointee.next_in, stream.pointee.avail_in) = (input.baseAddress, UInt32(input.count))
        (stream.pointee.next_out, stream.pointee.avail_out) = (space.baseAddress, UInt32(room))
        result = step(stream)
        count = room - Int(stream.pointee.avail_out)
      }
    }
    return result == Z_STREAM_END && stream.pointee.avail_in == 0 ? output : nil
  }
}
