import NIOCore

/// What a client's WebSocket frames say (RFC 6455 section 5).
enum WebSocketEvent: Hashable {
  /// A new message begins.
  case messageBegan(text: Bool)
  /// A piece of the message's payload, unmasked.
  case payload(ByteBuffer)
  case messageEnded
  case ping(ByteBuffer)
  case pong
  /// nil where the client gave no code.
  case close(UInt16?)
}

enum WebSocketOpcode: UInt8 {
  case continuation = 0
  case text = 1
  case binary = 2
  case close = 8
  case ping = 9
  case pong = 10

  var isControl: Bool { rawValue >= 8 }
}

/// What a client did that ends the connection, with the code that says so (section 7.4.1).
struct WebSocketViolation: Error, Hashable, Sendable {
  enum Code: UInt16, Sendable {
    case normal = 1000
    case goingAway = 1001
    case protocolError = 1002
    case unsupportedData = 1003
    case tooBig = 1009
    case internalError = 1011
  }

  let code: Code
  let reason: String

  init(_ reason: String, code: Code = .protocolError) {
    self.code = code
    self.reason = reason
  }
}
