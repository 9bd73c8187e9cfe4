import NIOCore

/// How the sending side of a stream ends.
package enum StreamEnd: Sendable {
  /// More follows.
  case open
  /// END_STREAM on the last DATA frame.
  case end
  /// A header block after the last DATA frame.
  case trailers(Headers)
}

/// What waits to be sent on one stream.
struct Outbox {
  private var chunks = CircularBuffer<ByteBuffer>(initialCapacity: 1)
  private(set) var bytes = 0
  private(set) var end = StreamEnd.open
  /// nghttp2 asked, found nothing, and must be told when there is more.
  var isDeferred = false
  /// The writer was told to wait.
  var isAboveHighWater = false

  init() {}

  init(body: ByteBuffer?, end: StreamEnd) { append(body, end: end) }

  /// Nothing to send but END_STREAM, which the header block itself can carry.
  var isHeadersOnly: Bool { if case .end = end { bytes == 0 } else { false } }

  var isOpen: Bool { if case .open = end { true } else { false } }

  mutating func append(_ chunk: ByteBuffer?, end: StreamEnd) {
    precondition(isOpen, "nothing follows the end of a stream")
    if let chunk, chunk.readableBytes > 0 {
      chunks.append(chunk)
      bytes += chunk.readableBytes
    }
    self.end = end
  }

  /// Moves exactly `count` bytes, which must be there, to `out`.
  mutating func take(_ count: Int, into out: inout OutputPieces) {
    var left = count
    while left > 0 {
      let step = min(left, chunks[chunks.startIndex].readableBytes)
      if let piece = chunks[chunks.startIndex].readSlice(length: step) { out.append(piece) }
      if chunks[chunks.startIndex].readableBytes == 0 { chunks.removeFirst() }
      left -= step
    }
    bytes -= count
  }
}
