import HTTP2

/// The header blocks a server answers with.
enum ResponseHeaders {
  static let ok = Headers([HeaderField(":status", "200"), HeaderField("content-type", "application/grpc")])
  static let okTrailers = Headers([HeaderField("grpc-status", "0")])

  static func trailers(_ status: GRPCStatus) -> Headers {
    var fields = [HeaderField("grpc-status", String(status.code.rawValue))]
    if !status.message.isEmpty { fields.append(HeaderField("grpc-message", StatusMessage.encode(status.message))) }
    // Says what would have been understood (grpc's doc/compression.md).
    if status.code == .unimplemented { fields.append(HeaderField("grpc-accept-encoding", "identity")) }
    return Headers(fields)
  }

  /// Headers and trailers in one block, for a call that fails before its first message.
  static func trailersOnly(_ status: GRPCStatus) -> Headers { Headers(ok.fields + trailers(status).fields) }

  static func http(_ status: Int) -> Headers {
    var headers: Headers = [":status": String(status), "content-type": "text/plain; charset=utf-8"]
    if status == 405 { headers.append("allow", "POST") }
    return headers
  }
}
