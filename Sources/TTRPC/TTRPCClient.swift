package import NIOCore
import NIOPosix
import ShimAPI
package import SwiftProtobuf

/// A ttrpc connection for any number of concurrent unary calls. Whoever drops a client closes it first.
package final class TTRPCClient: Sendable {
  private let channel: any Channel
  private let handler: NIOLoopBound<CallHandler>

  private init(_ channel: any Channel, _ handler: NIOLoopBound<CallHandler>) {
    self.channel = channel
    self.handler = handler
  }

  /// Takes over a connected stream socket, which is closed with the client.
  package static func adopt(
    socket descriptor: Int32, on group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
  ) async throws(TTRPCError) -> TTRPCClient {
    do {
      return try await ClientBootstrap(group: group).withConnectedSocket(descriptor) { channel in
        channel.eventLoop.makeCompletedFuture {
          let handler = CallHandler()
          try channel.pipeline.syncOperations.addHandlers(ByteToMessageHandler(FrameDecoder()), handler)
          return TTRPCClient(channel, NIOLoopBound(handler, eventLoop: channel.eventLoop))
        }
      }
    } catch {
      throw .connection("connect: \(error)")
    }
  }

  /// False once the connection has ended: every call fails from then on, and a new client is needed.
  package var isConnected: Bool { channel.isActive }

  /// One unary call.
  ///
  /// Cancelling the task ends only the waiting (code 1); the server is not told, and goes on. At `timeout` (sent along as the server's own limit)
  /// the call fails with code 4. The loss of the connection fails it with origin `connection`, code 14.
  package func call<Request: Message, Response: Message>(
    _ service: String, _ method: String, _ request: Request, answer: Response.Type = Response.self, timeout: Duration? = nil,
    metadata: [(key: String, value: String)] = []
  ) async throws(TTRPCError) -> Response {
    let name = "\(service)/\(method)"
    let payload = try Self.encode(service, method, request, timeout, metadata)
    let call = PendingCall()
    channel.eventLoop.execute { self.handler.value.begin(call, payload) }
    let timer = timeout.map { limit in
      channel.eventLoop.scheduleTask(in: TimeAmount(limit)) { call.complete(.failure(.deadline(name))) }
    }
    let outcome = await withTaskCancellationHandler {
      await call.outcome()
    } onCancel: {
      call.complete(.failure(.cancelled))
    }
    timer?.cancel()
    if case .failure = outcome { channel.eventLoop.execute { self.handler.value.abandon(call) } }
    return try Self.decode(try outcome.get(), name)
  }

  package func close() { channel.close(promise: nil) }

  private static func encode(
    _ service: String, _ method: String, _ message: some Message, _ timeout: Duration?, _ metadata: [(key: String, value: String)]
  ) throws(TTRPCError) -> ByteBuffer {
    do {
      var request = Ttrpc_Request()
      request.service = service
      request.method = method
      request.payload = try message.serializedBytes()
      request.timeoutNano = timeout.map { TimeAmount($0).nanoseconds } ?? 0
      request.metadata = metadata.map { pair in
        Ttrpc_KeyValue.with {
          $0.key = pair.key
          $0.value = pair.value
        }
      }
      let bytes: [UInt8] = try request.serializedBytes()
      guard bytes.count <= Frame.largestPayload else { throw TTRPCError.tooLarge(bytes.count) }
      return ByteBuffer(bytes: bytes)
    } catch let error as TTRPCError {
      throw error
    } catch {
      throw TTRPCError(.local, code: 13, "\(service)/\(method): the request cannot be encoded: \(error)")
    }
  }

  private static func decode<Response: Message>(_ payload: ByteBuffer, _ name: String) throws(TTRPCError) -> Response {
    let response: Ttrpc_Response
    do { response = try Ttrpc_Response(serializedBytes: Array(payload.readableBytesView)) } catch { throw .undecodable(name, error) }
    guard response.status.code == 0 else { throw TTRPCError(.remote, code: response.status.code, response.status.message) }
    do { return try Response(serializedBytes: response.payload) } catch { throw .undecodable(name, error) }
  }
}
