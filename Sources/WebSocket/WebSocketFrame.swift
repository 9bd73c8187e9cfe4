package import NIOCore

/// What the other side's WebSocket frames say (RFC 6455 section 5).
package enum WebSocketEvent: Hashable {
  /// A piece of a message's payload, unmasked. `begins`: the first of its message.
  case payload(ByteBuffer, begins: Bool)
  case ping(ByteBuffer)
  case pong
  /// nil where no code was given.
  case close(UInt16?)
}

package enum WebSocketOpcode: UInt8 {
  case continuation = 0
  case text = 1
  case binary = 2
  case close = 8
  case ping = 9
  case pong = 10

  package var isControl: Bool { rawValue >= 8 }
}

/// What the other side did that ends the connection, with the code that says so (section 7.4.1).
package struct WebSocketViolation: Error, Hashable, Sendable {
  package enum Code: UInt16, Sendable {
    case normal = 1000
    case goingAway = 1001
    case protocolError = 1002
    /// What a message holds is not what messages of this protocol hold.
    case invalidPayload = 1007
    case internalError = 1011
  }

  package let code: Code
  package let reason: String

  package init(_ reason: String, code: Code = .protocolError) {
    self.code = code
    self.reason = reason
  }
}
