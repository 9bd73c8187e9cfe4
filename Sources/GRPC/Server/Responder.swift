import NIOCore

/// A running call's way back to its connection, from any thread.
struct Responder: Sendable {
  let connection: NIOLoopBound<ServerConnection>
  let eventLoop: any EventLoop
  let stream: Int32
  /// Bytes of one response message.
  let limit: Int

  /// Sends one framed message of a stream; returns when the client keeps up, throws when the call is over.
  func write(_ message: ByteBuffer) async throws {
    try await eventLoop.flatSubmit { connection.value.write(message, on: stream) }.get()
  }

  /// Sends the response headers.
  func open() async throws { try await eventLoop.flatSubmit { connection.value.write(ByteBuffer(), on: stream) }.get() }

  /// Ends the call: with a unary response, with nothing more to stream, or with an error. Does nothing where it is over already.
  func finish(_ result: Result<ByteBuffer?, GRPCStatus>) {
    guard !eventLoop.inEventLoop else { return connection.value.finish(stream, result) }
    eventLoop.execute { connection.value.finish(stream, result) }
  }
}
