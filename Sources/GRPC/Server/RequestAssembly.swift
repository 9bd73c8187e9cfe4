import NIOCore

/// Collects the one message of a request.
struct RequestAssembly {
  private var deframer: MessageDeframer
  private var message: ByteBuffer?

  init(limit: Int, encoding: String?) { deframer = MessageDeframer(limit: limit, kind: "request", encoding: encoding) }

  mutating func append(_ chunk: ByteBuffer) throws(GRPCStatus) {
    deframer.append(chunk)
    while let next = try deframer.next() {
      guard message == nil else { throw GRPCStatus(.internal, "more than one request message") }
      message = next
    }
  }

  func finish() throws(GRPCStatus) -> ByteBuffer {
    try deframer.finish()
    guard let message else { throw GRPCStatus(.internal, "no request message") }
    return message
  }
}
