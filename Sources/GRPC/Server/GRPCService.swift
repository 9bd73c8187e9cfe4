import NIOCore
package import SwiftProtobuf

/// A gRPC service: its full name, `runtime.v1.RuntimeService`, and what it can do.
package protocol GRPCService: Sendable {
  var name: String { get }
  var methods: [GRPCMethod] { get }
}

/// One method of a service with its handler, message types erased.
///
/// A handler runs in a task of its own, on the connection's event loop where it answers at once and elsewhere otherwise. The task is
/// cancelled when its caller is gone or its deadline passed; what must go on then has to run elsewhere. A handler throws ``GRPCStatus`` or
/// a ``GRPCStatusConvertible``; anything else becomes INTERNAL.
package struct GRPCMethod: Sendable {
  enum Kind: Sendable {
    /// `immediate` has a handler that waits for nothing.
    case unary, immediate, serverStreaming
  }

  package let name: String
  let kind: Kind
  /// Request bytes in; a unary response comes out framed, streamed ones go through the responder.
  let handle: @Sendable (ByteBuffer, CallContext, Responder) async throws -> ByteBuffer?

  /// One request, one response.
  package static func unary<Request: Message, Response: Message>(
    _ name: String, _ handler: @escaping @Sendable (_ request: Request, _ context: CallContext) async throws -> Response
  ) -> GRPCMethod {
    GRPCMethod(name: name, kind: .unary) { bytes, context, responder in
      let response = try await handler(try decode(bytes), context)
      return try MessageCoding.encode(response, limit: responder.limit, kind: "response")
    }
  }

  /// One request, one response that is in memory: the handler neither waits nor reads files, for it holds up the connection.
  package static func immediate<Request: Message, Response: Message>(
    _ name: String, _ handler: @escaping @Sendable (_ request: Request) throws -> Response
  ) -> GRPCMethod {
    GRPCMethod(name: name, kind: .immediate) { bytes, _, responder in
      try MessageCoding.encode(try handler(try decode(bytes)), limit: responder.limit, kind: "response")
    }
  }

  /// The method of the same name of the service that `choose` names; this one where it names none.
  package func redirected(_ choose: @escaping @Sendable (CallContext) throws -> (any GRPCService)?) -> GRPCMethod {
    GRPCMethod(name: name, kind: kind) { bytes, context, responder in
      guard let service = try choose(context) else { return try await handle(bytes, context, responder) }
      guard let method = service.methods.first(where: { $0.name == name }) else {
        throw GRPCStatus(.unimplemented, "\(service.name) has no method \(name)")
      }
      return try await method.handle(bytes, context, responder)
    }
  }

  /// One request, any number of responses. The stream ends well when the handler returns.
  package static func serverStreaming<Request: Message, Response: Message>(
    _ name: String,
    _ handler:
      @escaping @Sendable (_ request: Request, _ context: CallContext, _ writer: GRPCResponseWriter<Response>) async throws
      -> Void
  ) -> GRPCMethod {
    GRPCMethod(name: name, kind: .serverStreaming) { bytes, context, responder in
      try await handler(try decode(bytes), context, GRPCResponseWriter(responder: responder, responses: context.responses))
      return nil
    }
  }

  static func decode<Request: Message>(_ bytes: ByteBuffer) throws(GRPCStatus) -> Request {
    try MessageCoding.decode(Request.self, bytes, kind: "request", failure: .invalidArgument)
  }
}

/// Sends the responses of one server-streaming call.
package struct GRPCResponseWriter<Response: Message>: Sendable {
  let responder: Responder
  let responses: SentResponses

  /// Sends one message. Waits while the client is slow; throws when the call is over.
  package func write(_ response: Response) async throws {
    try await responder.write(try MessageCoding.encode(response, limit: responder.limit, kind: "response"))
    responses.sent()
  }

  /// Sends the response headers at once, so that the client knows that the call was accepted before there is a first message.
  package func open() async throws { try await responder.open() }
}
