import NIOCore
package import SwiftProtobuf

/// The responses of a server-streaming call. Read by one task, once; a slow reader slows the server down.
package struct GRPCResponses<Response: Message>: AsyncSequence, Sendable {
  package typealias Element = Response

  private let call: StreamingCall

  init(_ call: StreamingCall) { self.call = call }

  package func makeAsyncIterator() -> Iterator { Iterator(call: call) }

  package struct Iterator: AsyncIteratorProtocol {
    fileprivate let call: StreamingCall

    /// The next message, `nil` when the server ended the stream with OK. Throws ``GRPCStatus``.
    package mutating func next() async throws -> Response? {
      guard let bytes = try await call.next() else { return nil }
      do throws(GRPCStatus) {
        return try MessageCoding.decode(Response.self, bytes, kind: "response", failure: .internal)
      } catch {
        call.cancel()
        throw error
      }
    }
  }
}

/// Keeps a streaming call alive while somebody may read it.
final class StreamingCall: Sendable {
  private let client: GRPCClient
  private let call: ClientCall
  private let queue: MessageQueue

  init(_ client: GRPCClient, _ call: ClientCall, _ queue: MessageQueue) {
    self.client = client
    self.call = call
    self.queue = queue
  }

  deinit { client.cancel(call) }

  func cancel() { client.cancel(call) }

  func next() async throws -> ByteBuffer? {
    try await withTaskCancellationHandler {
      try await queue.next { client.grant(call) }
    } onCancel: {
      client.cancel(call)
    }
  }
}
