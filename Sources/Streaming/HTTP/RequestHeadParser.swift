import Core
import NIOCore

/// Bytes in, one request head out. Strict, and bounded: an upgrade request has a short head and no body.
struct RequestHeadParser {
  /// Bytes of a head, its closing empty line included.
  static let limit = 16 << 10
  static let fieldLimit = 100

  private var head: [UInt8] = []

  /// Takes what belongs to the head out of `bytes`; nil while the head is not complete.
  mutating func read(_ bytes: inout ByteBuffer) throws(HTTPRefusal) -> RequestHead? {
    while let byte = bytes.readInteger(as: UInt8.self) {
      head.append(byte)
      if byte == 10 {
        guard head.count > 1, head[head.count - 2] == 13 else { throw HTTPRefusal(.badRequest, "a line does not end with CR LF") }
        if head.suffix(4) == [13, 10, 13, 10] { return try Self.parse(head) }
        if head.count == 2 { throw HTTPRefusal(.badRequest, "the request line is empty") }
      }
      if head.count >= Self.limit { throw HTTPRefusal(.headTooLarge, "the request's head is longer than \(Self.limit) bytes") }
    }
    return nil
  }

  private static func parse(_ head: [UInt8]) throws(HTTPRefusal) -> RequestHead {
    let lines = head.dropLast(4).split(separator: 10, omittingEmptySubsequences: false).map { $0.last == 13 ? $0.dropLast() : $0 }
    let (method, target) = try requestLine(lines[0])
    guard lines.count - 1 <= fieldLimit else { throw HTTPRefusal(.headTooLarge, "more than \(fieldLimit) header fields") }
    var fields: [RequestHead.Field] = []
    for line in lines.dropFirst() { fields.append(try field(line)) }
    let request = RequestHead(method: method, target: target, fields: fields)
    try check(request)
    return request
  }

  private static func requestLine(_ line: ArraySlice<UInt8>) throws(HTTPRefusal) -> (String, String) {
    let parts = line.split(separator: 32, omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0].allSatisfy(isTokenByte), !parts[0].isEmpty else {
      throw HTTPRefusal(.badRequest, "the request line is ill-formed")
    }
    let version = String(decoding: parts[2], as: UTF8.self)
    guard version.hasPrefix("HTTP/") else { throw HTTPRefusal(.badRequest, "the request line is ill-formed") }
    guard version == "HTTP/1.1" else { throw HTTPRefusal(.versionNotSupported, "only HTTP/1.1 is served here") }
    guard parts[1].first == UInt8(ascii: "/"), parts[1].allSatisfy({ (33...126).contains($0) }) else {
      throw HTTPRefusal(.badRequest, "the request target is not a path")
    }
    return (String(decoding: parts[0], as: UTF8.self), String(decoding: parts[1], as: UTF8.self))
  }

  private static func field(_ line: ArraySlice<UInt8>) throws(HTTPRefusal) -> RequestHead.Field {
    guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex, line[..<colon].allSatisfy(isTokenByte) else {
      throw HTTPRefusal(.badRequest, "a header field has no proper name")
    }
    let value = line[(colon + 1)...]
    guard value.allSatisfy({ $0 == 9 || ($0 >= 32 && $0 != 127) }) else {
      throw HTTPRefusal(.badRequest, "a header field has a control character in its value")
    }
    let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
    return RequestHead.Field(name: name, value: String(String(decoding: value, as: UTF8.self).trimmed))
  }

  /// RFC 9112 sections 3.2 and 6: exactly one Host, and here no body.
  private static func check(_ request: RequestHead) throws(HTTPRefusal) {
    guard request.fields.count(where: { $0.name == "host" }) == 1 else { throw HTTPRefusal(.badRequest, "there must be one Host") }
    let lengths = request.values("content-length")
    guard lengths.allSatisfy({ $0 == "0" }), request.values("transfer-encoding").isEmpty else {
      throw HTTPRefusal(.badRequest, "a request to upgrade has no body")
    }
  }

  /// RFC 9110 section 5.6.2.
  private static func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
  }
}
