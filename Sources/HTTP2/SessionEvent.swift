package import NIOCore

package typealias StreamID = Int32

/// What happened on a connection, in order.
package enum SessionEvent: Sendable {
  /// A request (server) or the final response (client) arrived.
  case headers(StreamID, Headers)
  /// A piece of the body; it counts against the stream's window until ``Session/consume(_:_:)``.
  case data(StreamID, ByteBuffer)
  case trailers(StreamID, Headers)
  /// The peer says no more on this stream.
  case end(StreamID)
  /// The stream is over: `noError` after both sides ended it, otherwise the code it was reset with. Nothing follows for it.
  case closed(StreamID, ErrorCode)
  /// What waited to be sent on this stream fell below the high-water mark again.
  case writable(StreamID)
  /// The peer closes the connection; streams above the given one were not processed.
  case goAway(StreamID, ErrorCode, String)
  /// The answer to ``Session/ping()``.
  case pong
  /// The peer misbehaved, and GOAWAY with this code was queued: send what is left, then close.
  case failed(ErrorCode, String)
}
