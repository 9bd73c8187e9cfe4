import WebSocket

/// Decides which protocol a request to upgrade gets.
enum Negotiation {
  static func upgrade(_ request: RequestHead, for kind: SessionKind) throws(HTTPRefusal) -> Upgrade {
    if request.has("connection", "upgrade") {
      if request.has("upgrade", "websocket") { return try webSocket(request, kind) }
      if request.has("upgrade", "spdy/3.1") { return try spdy(request, kind) }
    }
    throw HTTPRefusal(
      .upgradeRequired, "this is a stream: ask to upgrade to SPDY/3.1 or websocket",
      [.init(name: "Connection", value: "Upgrade"), .init(name: "Upgrade", value: "SPDY/3.1, websocket")])
  }

  /// `/exec/TOKEN` and its like, asked with GET or POST.
  static func route(_ request: RequestHead) throws(HTTPRefusal) -> (SessionKind, token: String) {
    let parts = request.path.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 3, let kind = SessionKind(rawValue: String(parts[1])), !parts[2].isEmpty else {
      throw HTTPRefusal(.notFound, "not found")
    }
    guard ["GET", "POST"].contains(request.method) else {
      throw HTTPRefusal(.methodNotAllowed, "only GET and POST are served", [.init(name: "Allow", value: "GET, POST")])
    }
    return (kind, String(parts[2]))
  }

  private static func spdy(_ request: RequestHead, _ kind: SessionKind) throws(HTTPRefusal) -> Upgrade {
    let asked = request.values("x-stream-protocol-version")
    let served = Upgrade.StreamProtocol.served(for: kind)
    if asked.isEmpty { return .spdy(kind == .portForward ? .portForward : nil) }
    for name in asked {
      if let chosen = served.first(where: { $0.rawValue == name }) { return .spdy(chosen) }
    }
    throw HTTPRefusal(
      .forbidden, "no common stream protocol: the client knows \(asked.joined(separator: ", "))",
      served.map { .init(name: "X-Accepted-Stream-Protocol-Versions", value: $0.rawValue) })
  }

  /// RFC 6455 section 4.2.
  private static func webSocket(_ request: RequestHead, _ kind: SessionKind) throws(HTTPRefusal) -> Upgrade {
    guard request.method == "GET" else {
      throw HTTPRefusal(.methodNotAllowed, "a WebSocket begins with GET", [.init(name: "Allow", value: "GET")])
    }
    guard request.values("sec-websocket-version") == ["13"] else {
      throw HTTPRefusal(.upgradeRequired, "only version 13 of WebSocket is served", [.init(name: "Sec-WebSocket-Version", value: "13")])
    }
    let keys = request.values("sec-websocket-key")
    guard keys.count == 1, let nonce = Base64.decode(keys[0].utf8), nonce.count == 16 else {
      throw HTTPRefusal(.badRequest, "Sec-WebSocket-Key must be 16 bytes in base64")
    }
    return .webSocket(try subprotocol(request, kind), accept: WebSocketAccept.value(for: keys[0]))
  }

  private static func subprotocol(_ request: RequestHead, _ kind: SessionKind) throws(HTTPRefusal) -> Upgrade.WebSocketProtocol {
    let asked = request.values("sec-websocket-protocol")
    if asked.isEmpty { return .unnamed }
    let served = Upgrade.WebSocketProtocol.served(for: kind)
    for name in asked {
      if let chosen = served.first(where: { $0.rawValue == name }) { return chosen }
    }
    throw HTTPRefusal(.forbidden, "no common subprotocol: the client knows \(asked.joined(separator: ", "))")
  }
}
