import NIOCore
package import SwiftProtobuf

/// A message in its encoded form, put together by a handler from parts that were encoded before: long lists whose items seldom change.
package struct EncodedMessage: Sendable {
  package private(set) var bytes: [UInt8]

  /// - Parameter capacity: bytes that are about to come.
  package init(capacity: Int = 0) {
    bytes = []
    bytes.reserveCapacity(capacity)
  }

  /// Adds one length-delimited field (protobuf's encoding, wire type 2): an item of a repeated message field, in parts
  /// that belong behind each other.
  package mutating func append(field: Int, _ parts: [[UInt8]]) {
    append(varint: UInt64(field << 3 | 2))
    append(varint: UInt64(parts.reduce(0) { $0 + $1.count }))
    for part in parts { bytes += part }
  }

  private mutating func append(varint value: UInt64) {
    var rest = value
    while rest > 0x7F {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  func framed(limit: Int) throws(GRPCStatus) -> ByteBuffer {
    guard bytes.count <= limit else {
      throw GRPCStatus(.resourceExhausted, "response message of \(bytes.count) bytes exceeds the limit of \(limit) bytes")
    }
    var buffer = ByteBufferAllocator().buffer(capacity: bytes.count + 5)
    buffer.writeInteger(UInt8(0))
    buffer.writeInteger(UInt32(bytes.count))
    buffer.writeBytes(bytes)
    return buffer
  }
}

extension GRPCMethod {
  /// One request, one response that comes encoded.
  package static func encoded<Request: Message>(
    _ name: String, _ handler: @escaping @Sendable (_ request: Request, _ context: CallContext) async throws -> EncodedMessage
  ) -> GRPCMethod {
    GRPCMethod(name: name, kind: .unary) { bytes, context, responder in
      let request: Request = try decode(bytes)
      return try await handler(request, context).framed(limit: responder.limit)
    }
  }

  /// One request, any number of responses that come encoded.
  package static func encodedStreaming<Request: Message>(
    _ name: String,
    _ handler: @escaping @Sendable (_ request: Request, _ context: CallContext, _ writer: EncodedResponseWriter) async throws -> Void
  ) -> GRPCMethod {
    GRPCMethod(name: name, kind: .serverStreaming) { bytes, context, responder in
      let request: Request = try decode(bytes)
      try await handler(request, context, EncodedResponseWriter(responder: responder))
      return nil
    }
  }
}

/// Sends encoded responses of one server-streaming call.
package struct EncodedResponseWriter: Sendable {
  let responder: Responder

  /// Sends one message. Waits while the client is slow; throws when the call is over.
  package func write(_ response: EncodedMessage) async throws { try await responder.write(try response.framed(limit: responder.limit)) }
}
