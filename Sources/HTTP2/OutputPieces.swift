import NIOCore

/// Bytes for the peer in the order in which they go out. What is small is copied behind what came before it; what is large stays where it is, for one
/// gathering write takes both.
struct OutputPieces {
  /// Copying fewer bytes than this costs less than one more piece.
  private static let worthSharing = 2048

  private var pieces = CircularBuffer<ByteBuffer>(initialCapacity: 2)
  private var tail = ByteBuffer()
  /// Bytes that wait.
  private(set) var count = 0

  mutating func append(_ bytes: UnsafeRawBufferPointer) {
    tail.writeBytes(bytes)
    count += bytes.count
  }

  mutating func append(_ chunk: ByteBuffer) {
    count += chunk.readableBytes
    guard chunk.readableBytes >= Self.worthSharing else {
      tail.writeImmutableBuffer(chunk)
      return
    }
    close()
    pieces.append(chunk)
  }

  /// The next piece; `nil` when nothing waits.
  mutating func takeFirst() -> ByteBuffer? {
    if pieces.isEmpty { close() }
    guard let piece = pieces.popFirst() else { return nil }
    count -= piece.readableBytes
    return piece
  }

  private mutating func close() {
    guard tail.readableBytes > 0 else { return }
    pieces.append(tail)
    tail = ByteBuffer()
  }
}
