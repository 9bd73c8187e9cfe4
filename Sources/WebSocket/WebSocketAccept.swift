import COpenSSL

/// The server's proof that it speaks WebSocket (RFC 6455 section 4.2.2): base64 of the SHA-1 of the client's key and a fixed text.
package enum WebSocketAccept {
  private static let suffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

  package static func value(for key: String) -> String {
    String(decoding: Base64.encode(sha1(Array((key + suffix).utf8))), as: UTF8.self)
  }

  private static func sha1(_ bytes: [UInt8]) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 20)
    let done = EVP_Digest(bytes, bytes.count, &digest, nil, EVP_sha1(), nil)
    precondition(done == 1, "SHA-1 of a short text")
    return digest
  }
}
