import Core

/// Chooses how a layer is unpacked: by the bytes' own magic number alone, since media types lie and a tar has no use for either magic.
enum Decompression {
  static func open(_ source: any ByteSource) throws -> any ByteSource {
    let peeked = PeekedSource(source)
    let head = try peeked.peek(4)
    if head.isEmpty { throw Fault(.invalidArgument, "the blob is empty") }
    if head.starts(with: [0x1f, 0x8b]) { return ISAL.works ? GzipSource(peeked) : try ZlibSource(peeked) }
    return isZstd(head) ? try ZstdSource(peeked) : peeked
  }

  /// RFC 8878: a frame, or a skippable frame before it.
  private static func isZstd(_ head: [UInt8]) -> Bool {
    head.starts(with: [0x28, 0xb5, 0x2f, 0xfd])
      || (head.count == 4 && head[0] & 0xf0 == 0x50 && head[1...].elementsEqual([0x2a, 0x4d, 0x18]))
  }
}

/// A source whose first bytes can be looked at.
final class PeekedSource: ByteSource {
  private let source: any ByteSource
  /// Bytes already taken from the source: all of what it gave at first.
  private var head: [UInt8] = []
  private var isHeadGiven = false

  init(_ source: any ByteSource) { self.source = source }

  /// At least `count` bytes, fewer where the source is shorter.
  func peek(_ count: Int) throws -> [UInt8] {
    while head.count < count, let bytes = try source.next() { head += bytes }
    return Array(head.prefix(count))
  }

  func next() throws -> UnsafeRawBufferPointer? {
    if isHeadGiven || head.isEmpty { return try source.next() }
    isHeadGiven = true
    return UnsafeRawBufferPointer(start: pin(head), count: head.count)
  }

  private var pinned: UnsafeMutableRawBufferPointer?

  private func pin(_ bytes: [UInt8]) -> UnsafeRawPointer {
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 16)
    copy.copyBytes(from: bytes)
    pinned = copy
    return UnsafeRawPointer(copy.baseAddress!)
  }

  deinit { pinned?.deallocate() }
}
