import CZlib
import Core

/// Inflates gzip with zlib, all members: the fallback for machines whose ISA-L does not work (``Decompression`` tries it once).
final class ZlibSource: ByteSource {
  private let source: any ByteSource
  private let stream: UnsafeMutablePointer<z_stream>
  private let output: UnsafeMutablePointer<UInt8>
  private var isInside = false

  private static let outputSize = 256 << 10

  init(_ source: any ByteSource) throws {
    self.source = source
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    output = .allocate(capacity: Self.outputSize)
    let result = inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard result == Z_OK else { throw Fault(.internal, "zlib does not start (\(result))") }
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
    output.deallocate()
  }

  func next() throws -> UnsafeRawBufferPointer? {
    while true {
      if stream.pointee.avail_in == 0, try !refill() {
        if isInside { throw Fault(.dataLoss, "gzip: the data ends in the middle") }
        return nil
      }
      if !isInside, try !startMember() { continue }
      let count = try step()
      if count > 0 { return UnsafeRawBufferPointer(start: output, count: count) }
    }
  }

  private func refill() throws -> Bool {
    guard let bytes = try source.next() else { return false }
    stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress!.assumingMemoryBound(to: UInt8.self))
    stream.pointee.avail_in = UInt32(bytes.count)
    return true
  }

  /// Skips zero padding; true where a member begins.
  private func startMember() throws -> Bool {
    while stream.pointee.avail_in > 0, stream.pointee.next_in.pointee == 0 {
      stream.pointee.next_in += 1
      stream.pointee.avail_in -= 1
    }
    if stream.pointee.avail_in == 0 { return false }
    inflateReset(stream)
    isInside = true
    return true
  }

  private func step() throws -> Int {
    stream.pointee.next_out = output
    stream.pointee.avail_out = UInt32(Self.outputSize)
    let result = inflate(stream, Z_NO_FLUSH)
    switch result {
    case Z_STREAM_END: isInside = false
    case Z_OK, Z_BUF_ERROR: break
    default: throw Fault(.dataLoss, "gzip: " + (stream.pointee.msg.map { String(cString: $0) } ?? "damaged data (\(result))"))
    }
    return Self.outputSize - Int(stream.pointee.avail_out)
  }
}
