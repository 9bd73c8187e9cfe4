package import NIOCore

/// The client's part of the upgrade (RFC 6455 section 4.1): a request out, the server's answer in.
package struct ClientHandshake {
  /// The server does not upgrade; its own words.
  package struct Refusal: Error, Hashable, Sendable {
    package let message: String
  }

  /// Bytes of an answer's head.
  private static let limit = 16 << 10

  private let key: String
  private let subprotocol: String
  private let path: String
  private let host: String
  private var head: [UInt8] = []

  /// `host` as a URL has it, with its port; `path` with its query.
  package init(host: String, path: String, subprotocol: String) {
    var generator = SystemRandomNumberGenerator()
    let nonce = (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }
    key = String(decoding: Base64.encode(nonce), as: UTF8.self)
    self.host = host
    self.path = path
    self.subprotocol = subprotocol
  }

  package var request: ByteBuffer {
    ByteBuffer(
      string: """
        GET \(path) HTTP/1.1\r
        Host: \(host)\r
        Connection: Upgrade\r
        Upgrade: websocket\r
        Sec-WebSocket-Version: 13\r
        Sec-WebSocket-Key: \(key)\r
        Sec-WebSocket-Protocol: \(subprotocol)\r
        \r

        """)
  }

  /// Takes what belongs to the answer's head out of `bytes`; true when the upgrade is done.
  package mutating func read(_ bytes: inout ByteBuffer) throws(Refusal) -> Bool {
    while let byte = bytes.readInteger(as: UInt8.self) {
      head.append(byte)
      if byte == 10 && head.suffix(4) == [13, 10, 13, 10] {
        try check(rest: bytes)
        return true
      }
      if head.count >= Self.limit { throw Refusal(message: "the answer's head is longer than \(Self.limit) bytes") }
    }
    return false
  }

  private func check(rest: ByteBuffer) throws(Refusal) {
    let lines = head.split(separator: 10).map { String(decoding: $0.last == 13 ? $0.dropLast() : $0, as: UTF8.self) }
    let words = (lines.first ?? "").split(separator: " ", maxSplits: 1)
    guard words.first == "HTTP/1.1", words.count == 2 else { throw Refusal(message: "the answer is not HTTP") }
    guard words[1].hasPrefix("101") else {
      let body = String(decoding: rest.readableBytesView.prefix { $0 != 10 }, as: UTF8.self)
      throw Refusal(message: body.isEmpty ? String(words[1]) : "\(words[1]): \(body)")
    }
    guard value("sec-websocket-accept", lines) == WebSocketAccept.value(for: key) else {
      throw Refusal(message: "the answer does not fit the request's key")
    }
    guard value("sec-websocket-protocol", lines) == subprotocol else { throw Refusal(message: "\(subprotocol) is not spoken there") }
  }

  private func value(_ name: String, _ lines: [String]) -> String? {
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":"), line[..<colon].lowercased() == name else { continue }
      return String(line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" })
    }
    return nil
  }
}
