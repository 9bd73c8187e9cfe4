import NIOCore
package import SwiftProtobuf

/// A message in its encoded form, put together by a handler from parts that were encoded before: long lists whose items seldom change.
///
/// It is written where it will be sent from, behind room for the prefix of a gRPC message: a list of a thousand items is copied once.
package struct EncodedMessage: Sendable {
  private var buffer: ByteBuffer

  /// - Parameter capacity: bytes that are about to come.
  package init(capacity: Int = 0) {
    buffer = ByteBufferAllocator().buffer(capacity: MessageDeframer.prefix + capacity)
    buffer.writeRepeatingByte(0, count: MessageDeframer.prefix)
  }

  package init(_ message: some Message) throws { buffer = try MessageCoding.encode(message, limit: .max, kind: "response") }

  /// All `items`, each as the parts of one length-delimited field.
  package init(field: Int, _ items: [[[UInt8]]]) {
    self.init(capacity: items.reduce(0) { $0 + Self.size($1) + 10 })
    for item in items { append(field: field, item) }
  }

  /// All `items`, each as one length-delimited field.
  package init(field: Int, _ items: [[UInt8]]) {
    self.init(capacity: items.reduce(0) { $0 + $1.count + 10 })
    for item in items { append(field: field, item) }
  }

  package var count: Int { buffer.readableBytes - MessageDeframer.prefix }

  /// The message without the prefix, to be a part of another.
  package var bytes: [UInt8] { Array(buffer.readableBytesView.dropFirst(MessageDeframer.prefix)) }

  /// Adds one length-delimited field (protobuf's encoding, wire type 2): an item of a repeated message field, in parts
  /// that belong behind each other.
  package mutating func append(field: Int, _ parts: [[UInt8]]) {
    append(field: field, size: Self.size(parts))
    for part in parts { buffer.writeBytes(part) }
  }

  private mutating func append(field: Int, _ item: [UInt8]) {
    append(field: field, size: item.count)
    buffer.writeBytes(item)
  }

  private mutating func append(field: Int, size: Int) {
    append(varint: UInt64(field << 3 | 2))
    append(varint: UInt64(size))
  }

  private static func size(_ parts: [[UInt8]]) -> Int { parts.reduce(0) { $0 + $1.count } }

  /// What ``append(field:_:)`` of these adds, at most.
  package static func room(_ parts: [[UInt8]]) -> Int { size(parts) + 20 }

  private mutating func append(varint value: UInt64) {
    var rest = value
    while rest > 0x7F {
      buffer.writeInteger(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    buffer.writeInteger(UInt8(rest))
  }

  consuming func framed(limit: Int) throws(GRPCStatus) -> ByteBuffer {
    try MessageCoding.check(count, limit: limit, kind: "response")
    seal()
    return buffer
  }

  /// Writes the prefix, so that nothing is copied when the message is sent again.
  package mutating func seal() {
    let length = UInt32(count)
    guard buffer.getInteger(at: buffer.readerIndex + 1) != length else { return }
    buffer.setInteger(length, at: buffer.readerIndex + 1)
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

  /// As `immediate` for a message, with a response that comes encoded.
  package static func immediate<Request: Message>(
    _ name: String, _ handler: @escaping @Sendable (_ request: Request) throws -> EncodedMessage
  ) -> GRPCMethod {
    GRPCMethod(name: name, kind: .immediate) { bytes, _, responder in
      let request: Request = try decode(bytes)
      return try handler(request).framed(limit: responder.limit)
    }
  }

  /// As `immediate` for most requests; those for which `handler` has no answer go to `otherwise`, away from the event loop.
  package static func immediate<Request: Message>(
    _ name: String, _ handler: @escaping @Sendable (_ request: Request) throws -> EncodedMessage?,
    otherwise: @escaping @Sendable (_ request: Request) async throws -> EncodedMessage
  ) -> GRPCMethod {
    GRPCMethod(name: name, kind: .immediate) { bytes, _, responder in
      let request: Request = try decode(bytes)
      if let response = try handler(request) { return try response.framed(limit: responder.limit) }
      return try await withTaskExecutorPreference(globalConcurrentExecutor) {
        try await otherwise(request).framed(limit: responder.limit)
      }
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

  /// Bytes that one message may have.
  package var limit: Int { responder.limit }

  /// Sends one message. Waits while the client is slow; throws when the call is over.
  package func write(_ response: EncodedMessage) async throws { try await responder.write(try response.framed(limit: responder.limit)) }
}
