import NIOCore

/// What kind of session a URL is for; the first part of its path.
enum SessionKind: String, Sendable {
  case exec, attach
  case portForward = "portforward"
}

/// The protocol that a request to upgrade was granted.
enum Upgrade: Hashable, Sendable {
  /// SPDY/3.1 with this stream protocol; nil where the client named none (the very first clients: version 1).
  case spdy(StreamProtocol?)
  /// WebSocket: a channel number begins each message.
  case webSocket(WebSocketProtocol, accept: String)

  /// `X-Stream-Protocol-Version` of SPDY connections.
  enum StreamProtocol: String, Sendable, CaseIterable {
    case v4 = "v4.channel.k8s.io"
    case v3 = "v3.channel.k8s.io"
    case v2 = "v2.channel.k8s.io"
    case v1 = "channel.k8s.io"
    case portForward = "portforward.k8s.io"

    static func served(for kind: SessionKind) -> [StreamProtocol] { kind == .portForward ? [.portForward] : [.v4, .v3, .v2, .v1] }

    var knowsResize: Bool { self == .v4 || self == .v3 }
  }

  /// `Sec-WebSocket-Protocol`.
  enum WebSocketProtocol: String, Sendable, CaseIterable {
    case v5 = "v5.channel.k8s.io"
    case v4 = "v4.channel.k8s.io"
    case v4Base64 = "v4.base64.channel.k8s.io"
    case v1 = "channel.k8s.io"
    case v1Base64 = "base64.channel.k8s.io"
    /// SPDY frames as they are, in binary messages.
    case tunnel = "SPDY/3.1+portforward.k8s.io"
    /// The client named none: as ``v1``.
    case unnamed = ""

    static func served(for kind: SessionKind) -> [WebSocketProtocol] {
      kind == .portForward ? [.tunnel, .v5, .v4, .v4Base64] : [.v5, .v4, .v4Base64, .v1, .v1Base64]
    }

    var isBase64: Bool { self == .v4Base64 || self == .v1Base64 }
    /// The error channel carries a Status object as JSON; before version 4 plain text, and nothing for success.
    var hasStatusObjects: Bool { self == .v5 || self == .v4 || self == .v4Base64 }
  }

  /// The head of the 101 response.
  var response: ByteBuffer {
    var text = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
    switch self {
    case .spdy(let name):
      text += "Upgrade: SPDY/3.1\r\n"
      if let name { text += "X-Stream-Protocol-Version: \(name.rawValue)\r\n" }
    case .webSocket(let name, let accept):
      text += "Upgrade: websocket\r\nSec-WebSocket-Accept: \(accept)\r\n"
      if name != .unnamed { text += "Sec-WebSocket-Protocol: \(name.rawValue)\r\n" }
    }
    return ByteBuffer(string: text + "\r\n")
  }
}
