import HTTP2
import Linux
package import NIOCore
import NIOPosix
package import SwiftProtobuf
import Synchronization

/// A connection to a gRPC server; any number of calls may run on it at once. It does not reconnect: when it is dead, all calls fail with
/// UNAVAILABLE, naming server and cause.
package final class GRPCClient: Sendable {
  private let configuration: GRPCClientConfiguration
  private let channel: any Channel
  private let connection: NIOLoopBound<ClientConnection>
  private let server: ServerName

  /// What requests call the server.
  private struct ServerName: Sendable {
    var scheme = "http"
    var authority = "localhost"
  }

  /// All clients of a process share one thread.
  private static let loops = MultiThreadedEventLoopGroup(numberOfThreads: 1)

  package static func connect(
    unixSocket path: String, configuration: GRPCClientConfiguration = GRPCClientConfiguration()
  ) async throws(GRPCStatus) -> GRPCClient {
    try await connect(path, configuration) { try await $0.connect(unixDomainSocketPath: path).get() }
  }

  /// Connects to 127.0.0.1.
  package static func connect(
    port: Int, configuration: GRPCClientConfiguration = GRPCClientConfiguration()
  ) async throws(GRPCStatus) -> GRPCClient {
    try await connect("127.0.0.1:\(port)", configuration) { bootstrap in
      try await bootstrap.channelOption(.tcpOption(.tcp_nodelay), value: 1).connect(host: "127.0.0.1", port: port).get()
    }
  }

  /// Connects to any host, on `group`.
  /// - Parameter secure: adds a TLS handler, with `h2` as the application's protocol, to the channel, on its event loop; nil for none.
  package static func connect(
    host: String, port: Int, authority: String, on group: any EventLoopGroup,
    configuration: GRPCClientConfiguration = GRPCClientConfiguration(), secure: (@Sendable (any Channel) throws -> Void)? = nil
  ) async throws(GRPCStatus) -> GRPCClient {
    let name = ServerName(scheme: secure == nil ? "http" : "https", authority: authority)
    return try await connect(authority, configuration, on: group.next(), as: name, secure: secure) { bootstrap in
      try await bootstrap.channelOption(.tcpOption(.tcp_nodelay), value: 1).connect(host: host, port: port).get()
    }
  }

  private init(
    _ configuration: GRPCClientConfiguration, _ channel: any Channel, _ connection: NIOLoopBound<ClientConnection>, _ server: ServerName
  ) {
    self.server = server
    self.configuration = configuration
    self.channel = channel
    self.connection = connection
  }

  /// Calls `/service/method`. `timeout` is sent along and enforced here too. Cancelling the task resets the stream and throws CANCELLED.
  package func unary<Request: Message, Response: Message>(
    _ path: String, _ request: Request, returning: Response.Type = Response.self, metadata: GRPCMetadata = GRPCMetadata(),
    timeout: Duration? = nil
  ) async throws(GRPCStatus) -> Response {
    let promise = channel.eventLoop.makePromise(of: ByteBuffer.self)
    let call = ClientCall(path, limit: configuration.maxResponseSize, configuration.compression, .unary(promise))
    let bytes: ByteBuffer
    do {
      // Within the handler: a task that is cancelled already starts nothing.
      bytes = try await withTaskCancellationHandler {
        do { try start(call, request, metadata, timeout) } catch { promise.fail(error) }
        return try await promise.futureResult.get()
      } onCancel: {
        cancel(call)
      }
    } catch { throw GRPCStatus(error) }
    return try MessageCoding.decode(Response.self, bytes, kind: "response", failure: .internal)
  }

  /// Calls a server-streaming `/service/method`. The call is made at once; it ends when the sequence is dropped or its task cancelled.
  package func serverStreaming<Request: Message, Response: Message>(
    _ path: String, _ request: Request, returning: Response.Type = Response.self, metadata: GRPCMetadata = GRPCMetadata(),
    timeout: Duration? = nil
  ) throws(GRPCStatus) -> GRPCResponses<Response> {
    let queue = MessageQueue()
    let call = ClientCall(path, limit: configuration.maxResponseSize, configuration.compression, .stream(queue))
    try start(call, request, metadata, timeout)
    return GRPCResponses(StreamingCall(self, call, queue))
  }

  /// False once the connection has ended: every call fails from then on.
  package var isConnected: Bool { channel.isActive }

  /// Closes the connection; calls that still run fail with UNAVAILABLE.
  package func close() async {
    let connection = connection
    channel.eventLoop.execute { connection.value.close() }
    try? await channel.closeFuture.get()
  }

  func cancel(_ call: ClientCall) {
    call.isCancelled.store(true, ordering: .releasing)
    let connection = connection
    channel.eventLoop.execute { connection.value.cancel(call) }
  }

  func grant(_ call: ClientCall) {
    let connection = connection
    channel.eventLoop.execute { connection.value.grant(call) }
  }

  private func start(_ call: ClientCall, _ request: some Message, _ metadata: GRPCMetadata, _ timeout: Duration?) throws(GRPCStatus) {
    let message = try MessageCoding.encode(request, limit: configuration.maxRequestSize, kind: "request")
    let body = configuration.compression?.packed(message) ?? message
    let headers = try headers(call.path, metadata, timeout)
    let connection = connection
    channel.eventLoop.execute { connection.value.start(call, headers, body, timeout: timeout) }
  }

  private func headers(_ path: String, _ metadata: GRPCMetadata, _ timeout: Duration?) throws(GRPCStatus) -> Headers {
    var headers: Headers = [
      ":method": "POST", ":scheme": server.scheme, ":path": path, ":authority": server.authority, "te": "trailers",
      "content-type": "application/grpc", "user-agent": configuration.userAgent,
    ]
    if let name = configuration.compression?.name {
      headers.append("grpc-encoding", name)
      headers.append("grpc-accept-encoding", "identity,\(name)")
    }
    if let timeout { headers.append("grpc-timeout", Timeout.format(timeout)) }
    try metadata.append(to: &headers)
    return headers
  }

  private static func connect(
    _ server: String, _ configuration: GRPCClientConfiguration, on loop: any EventLoop = loops.next(), as name: ServerName = ServerName(),
    secure: (@Sendable (any Channel) throws -> Void)? = nil, _ connect: (ClientBootstrap) async throws -> any Channel
  ) async throws(GRPCStatus) -> GRPCClient {
    let box = NIOLoopBoundBox.makeBoxSendingValue(ClientConnection(server, on: loop), eventLoop: loop)
    let bootstrap = ClientBootstrap(group: loop)
      .connectTimeout(configuration.connectTimeout.timer)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let connection = HTTP2Connection(.client, configuration: configuration.http2, delegate: box.value)
          try secure?(channel)
          try channel.pipeline.syncOperations.addHandler(connection)
        }
      }
    do {
      let channel = try await connect(bootstrap)
      let connection = try await loop.submit { NIOLoopBound(box.value, eventLoop: loop) }.get()
      return GRPCClient(configuration, channel, connection, name)
    } catch { throw GRPCStatus(.unavailable, "connect \(server): \(reason(error))") }
  }

  private static func reason(_ error: any Error) -> String {
    guard let failure = error as? IOError else { return String(describing: error) }
    let cause = SystemError(failure.errnoCode, call: "")
    return cause.isNobodyThere ? "\(cause.reason): is berthd running?" : cause.reason
  }
}
