package import SwiftProtobuf

/// A unary method of a ttrpc service with its handler, message types erased.
package struct TTRPCMethod: Sendable {
  /// `containerd.services.events.ttrpc.v1.Events`
  package let service: String
  package let name: String
  let handle: @Sendable ([UInt8]) throws -> [UInt8]

  /// The handler waits for nothing and reads no files: it holds up the connection, whose calls are answered in their order. What it throws is
  /// the answer where it is a ``TTRPCError``, else UNKNOWN.
  package init<Request: Message, Response: Message>(
    _ service: String, _ name: String, _ handler: @escaping @Sendable (_ request: Request) throws -> Response
  ) {
    self.service = service
    self.name = name
    handle = { bytes in
      let request: Request
      do { request = try Request(serializedBytes: bytes) } catch {
        throw TTRPCError(.remote, code: 3, "\(service)/\(name): the request cannot be decoded")
      }
      return try handler(request).serializedBytes()
    }
  }
}
