import HTTP2

/// A request's header block, read as gRPC.
struct RequestHead {
  var path: String
  var metadata: GRPCMetadata
  var timeout: Duration?
  var encoding: String?

  /// Why a request is refused before its method is known.
  enum Refusal: Error, Equatable {
    /// Not gRPC at all: an HTTP status and a line for a person.
    case http(Int, String)
    case grpc(GRPCStatus)
  }

  init(_ headers: Headers) throws(Refusal) {
    guard headers[":method"] == "POST" else { throw .http(405, "gRPC calls are POST requests") }
    guard Self.isGRPC(headers["content-type"] ?? "") else { throw .http(415, "content-type must be application/grpc") }
    path = headers[":path"] ?? ""
    encoding = headers["grpc-encoding"]
    metadata = GRPCMetadata(headers)
    guard let text = headers["grpc-timeout"] else { return }
    timeout = Timeout.parse(text)
    if timeout == nil { throw .grpc(GRPCStatus(.internal, "malformed grpc-timeout \"\(text)\"")) }
  }

  /// `application/grpc`, with `+proto` and parameters at most.
  static func isGRPC(_ contentType: String) -> Bool {
    let type = contentType.lowercased().prefix { $0 != ";" && $0 != " " }
    return type == "application/grpc" || type == "application/grpc+proto"
  }
}
