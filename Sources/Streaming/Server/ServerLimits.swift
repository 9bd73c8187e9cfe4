package import NIOCore

/// What clients may take; the defaults are what a node needs.
package struct ServerLimits: Sendable {
  /// A request's head, TLS handshake included: one byte a second is too slow.
  package var headTime = TimeAmount.seconds(10)
  /// For the certificate's files to be looked at; what was read before is used then.
  package var certificateTime = TimeAmount.seconds(2)
  /// A session on which nothing goes either way.
  package var idleTime = TimeAmount.hours(4)
  /// After all was said, for the client to close.
  package var lingerTime = TimeAmount.seconds(30)
  /// After the server's own half-close.
  package var closeTime = TimeAmount.seconds(2)
  /// For sessions to end when the server goes down: their processes get HUP and some time before they are killed.
  package var shutdownTime = Duration.seconds(5)
  /// Connections that have not been upgraded.
  package var strangers = 256
  /// Sessions whose client has not come yet.
  package var tokens = 1000
  package var tokenTime = Duration.seconds(60)
  /// Bytes that a session's client may be ahead of its process, or of all its forwarded connections together.
  package var commandBuffer = 1 << 20
  package var forwardBuffer = 8 << 20

  package init() {}
}
