/// Limits and windows of one HTTP/2 connection. The defaults suit a local socket with few, trusted, busy peers.
package struct SessionConfiguration: Sendable {
  /// Bytes a peer may send on one stream before its reader took them.
  package var streamWindow: Int32 = 8 << 20
  /// Bytes a peer may send on the connection before they were received.
  package var connectionWindow: Int32 = 32 << 20
  /// Largest frame accepted.
  package var maxFrameSize: UInt32 = 1 << 20
  /// Streams a peer may have open at once.
  package var maxConcurrentStreams: UInt32 = 1000
  /// Bytes of one header list as RFC 7541 counts them. Over it the stream ends; at four times that the connection does.
  package var maxHeaderListSize: Int = 64 << 10
  /// CONTINUATION frames of one header block.
  package var maxContinuations: Int = 8
  /// Answers to PING and SETTINGS that may wait to be sent.
  package var maxOutboundAcks: Int = 1000
  /// Streams a peer may reset at once, and further ones a second.
  package var resetBurst: Int = 1000
  package var resetsPerSecond: Int = 100
  /// Consecutive DATA frames that carry nothing.
  package var maxEmptyData: Int = 100
  /// Bytes waiting to be sent on a stream above which its writer should wait for ``SessionEvent/writable(_:)``.
  package var outboundHighWater: Int = 256 << 10

  package init() {}
}
