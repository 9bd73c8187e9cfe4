/// What a header block is for; each kind has its own rules (RFC 9113 section 8.3).
enum HeaderBlockKind: Sendable {
  case request
  case response
  case trailers
}

/// What is wrong with a header block.
enum HeaderViolation: Error, Equatable {
  /// Breaks a rule of RFC 9113: the stream ends with PROTOCOL_ERROR.
  case malformed(String)
  /// The list is larger than was offered: the stream ends with ENHANCE_YOUR_CALM.
  case tooLarge
  /// Far larger: the connection ends.
  case flood
}

/// A header block being received, checked field by field.
///
/// nghttp2's own check is switched off since it refuses an `:authority` that is a socket path, which gRPC clients send on Unix sockets.
/// All else is as strict here as there.
struct HeaderBlock {
  let kind: HeaderBlockKind
  private let limit: Int
  private var headers = Headers()
  private var size = 0
  private var pseudo: Set<Pseudo> = []
  private var sawRegular = false
  private(set) var contentLength: Int?
  /// The first violation; the rest of the block is only counted, for nghttp2 must decode it to keep its tables right.
  private(set) var violation: HeaderViolation?

  private enum Pseudo: String {
    case method = ":method"
    case scheme = ":scheme"
    case path = ":path"
    case authority = ":authority"
    case status = ":status"
  }

  init(_ kind: HeaderBlockKind, limit: Int) {
    self.kind = kind
    self.limit = limit
  }

  /// Takes the next field. Throws only for a flood, which must end the connection at once.
  mutating func add(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>) throws(HeaderViolation) {
    size += name.count + value.count + 32
    if size > 4 * limit { throw .flood }
    if size > limit { violation = violation ?? .tooLarge }
    guard violation == nil else { return }
    do throws(HeaderViolation) { try accept(name, value) } catch { violation = error }
  }

  /// The whole block, or what is wrong with it.
  func finish() throws(HeaderViolation) -> Headers {
    if let violation { throw violation }
    let required: Set<Pseudo> =
      switch kind {
      case .request: [.method, .scheme, .path]
      case .response: [.status]
      case .trailers: []
      }
    guard required.isSubset(of: pseudo) else { throw .malformed("a pseudo-header field is missing") }
    return headers
  }

  private mutating func accept(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) throws(HeaderViolation) {
    guard FieldSyntax.isValue(value) else { throw .malformed("invalid field value") }
    let text = String(decoding: name, as: UTF8.self)
    let content = String(decoding: value, as: UTF8.self)
    if name.first == UInt8(ascii: ":") {
      try acceptPseudo(text, content)
    } else {
      guard FieldSyntax.isName(name) else { throw .malformed("invalid field name") }
      try acceptRegular(text, content)
    }
    headers.append(text, content)
  }

  private mutating func acceptPseudo(_ name: String, _ value: String) throws(HeaderViolation) {
    guard let field = Pseudo(rawValue: name), !sawRegular else { throw .malformed("pseudo-header field out of place") }
    let allowed =
      switch kind {
      case .request: field != .status
      case .response: field == .status
      case .trailers: false
      }
    guard allowed, pseudo.insert(field).inserted else { throw .malformed("pseudo-header field out of place") }
    guard !value.isEmpty || field == .authority else { throw .malformed("empty pseudo-header field") }
    if field == .status, value.utf8.count != 3 || Int(value) == nil { throw .malformed("invalid :status") }
  }

  private mutating func acceptRegular(_ name: String, _ value: String) throws(HeaderViolation) {
    sawRegular = true
    switch name {
    case "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade":
      throw .malformed("connection-specific field")
    case "te" where value.lowercased() != "trailers": throw .malformed("te other than trailers")
    case "content-length":
      guard contentLength == nil, let length = Int(value), length >= 0, value.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else {
        throw .malformed("invalid content-length")
      }
      contentLength = length
    default: break
    }
  }
}

/// Octets that may stand in a field (RFC 9113 section 8.2.1, RFC 9110 section 5.6.2).
enum FieldSyntax {
  private static let nameOctets: [Bool] = (0..<256).map { octet in
    switch UInt8(octet) {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
    default: "!#$%&'*+-.^_`|~".utf8.contains(UInt8(octet))
    }
  }

  static func isName(_ name: UnsafeBufferPointer<UInt8>) -> Bool { !name.isEmpty && name.allSatisfy { nameOctets[Int($0)] } }

  static func isValue(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
    guard let first = value.first, let last = value.last else { return true }
    return !isSpace(first) && !isSpace(last) && value.allSatisfy { $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 }
  }

  private static func isSpace(_ octet: UInt8) -> Bool { octet == 0x20 || octet == 0x09 }
}
