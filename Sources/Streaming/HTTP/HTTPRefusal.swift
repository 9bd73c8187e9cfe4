import NIOCore

/// A request that is turned away: the status and a line of text that says why.
struct HTTPRefusal: Error, Hashable, Sendable {
  enum Status: Int, Sendable {
    case badRequest = 400
    case forbidden = 403
    case notFound = 404
    case methodNotAllowed = 405
    case requestTimeout = 408
    case upgradeRequired = 426
    case headTooLarge = 431
    case unavailable = 503
    case versionNotSupported = 505

    var reason: String {
      switch self {
      case .badRequest: "Bad Request"
      case .forbidden: "Forbidden"
      case .notFound: "Not Found"
      case .methodNotAllowed: "Method Not Allowed"
      case .requestTimeout: "Request Timeout"
      case .upgradeRequired: "Upgrade Required"
      case .headTooLarge: "Request Header Fields Too Large"
      case .unavailable: "Service Unavailable"
      case .versionNotSupported: "HTTP Version Not Supported"
      }
    }
  }

  let status: Status
  let message: String
  /// Header fields beyond the usual ones.
  var fields: [RequestHead.Field] = []

  init(_ status: Status, _ message: String, _ fields: [RequestHead.Field] = []) {
    self.status = status
    self.message = message
    self.fields = fields
  }

  /// The whole response; the connection ends after it.
  var response: ByteBuffer {
    var text = "HTTP/1.1 \(status.rawValue) \(status.reason)\r\n"
    for field in fields { text += "\(field.name): \(field.value)\r\n" }
    text += "Content-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n"
    text += "Content-Length: \(message.utf8.count + 1)\r\nConnection: close\r\n\r\n\(message)\n"
    return ByteBuffer(string: text)
  }
}
