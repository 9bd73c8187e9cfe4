package import Core
import Linux
package import Logging
import NIOCore
import NIOPosix

/// Where the daemon's metrics are read: `GET /metrics`, plain or by TLS, on an address or a Unix socket.
package final class MetricsServer: Sendable {
  package struct Configuration: Sendable {
    package enum Address: Sendable, Hashable, CustomStringConvertible {
      /// A literal address; port 0 is any.
      case ip(String, port: Int)
      case unix(String)

      package var description: String {
        switch self {
        case .ip(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix://\(path)"
        }
      }
    }

    package var address: Address
    package var tls: StreamingConfiguration.TLS?

    package init(_ address: Address, tls: StreamingConfiguration.TLS? = nil) {
      self.address = address
      self.tls = tls
    }
  }

  private let listener: any Channel
  private let loops: MultiThreadedEventLoopGroup
  private let socket: String?

  private init(_ listener: any Channel, _ loops: MultiThreadedEventLoopGroup, socket: String?) {
    self.listener = listener
    self.loops = loops
    self.socket = socket
  }

  /// On its way; 0 for a Unix socket.
  package var port: Int { listener.localAddress?.port ?? 0 }

  /// UNAVAILABLE where the address cannot be had, FAILED_PRECONDITION where the certificate cannot be read.
  package static func start(_ configuration: Configuration, _ metrics: Metrics, logger: Logger) async throws -> MetricsServer {
    let certificates = try configuration.tls.map { try CertificateSource($0, logger: logger) }
    let loops = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let bootstrap = ServerBootstrap(group: loops)
      .serverChannelOption(.backlog, value: 64)
      .childChannelInitializer { channel in
        CertificateSource.secure(channel, certificates) { MetricsHandler(metrics) }
      }
    do {
      switch configuration.address {
      case .ip(let host, let port):
        let reusing = bootstrap.serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        return MetricsServer(try await reusing.bind(host: host, port: port).get(), loops, socket: nil)
      case .unix(let path):
        return MetricsServer(
          try await bootstrap.bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).get(), loops, socket: path)
      }
    } catch {
      try? await loops.shutdownGracefully()
      throw Fault(.unavailable, "metrics: listen on \(configuration.address): \(error)")
    }
  }

  package func shutdown() async {
    try? await listener.close()
    try? await loops.shutdownGracefully()
    if let socket { try? Files.remove(socket) }
  }
}

/// One request a connection: its answer, and the end.
private final class MetricsHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// From the connection's beginning to the answer's end.
  private static let patience = TimeAmount.seconds(20)

  private let metrics: Metrics
  private var parser: RequestHeadParser? = RequestHeadParser()
  private var deadline: Scheduled<Void>?

  init(_ metrics: Metrics) { self.metrics = metrics }

  func handlerAdded(context: ChannelHandlerContext) {
    let channel = context.channel
    deadline = context.eventLoop.scheduleTask(in: Self.patience) { channel.close(promise: nil) }
  }

  func handlerRemoved(context: ChannelHandlerContext) { deadline?.cancel() }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard var parser else { return }
    var bytes = Self.unwrapInboundIn(data)
    do throws(HTTPRefusal) {
      guard let head = try parser.read(&bytes) else { return self.parser = parser }
      self.parser = nil
      answer(head, context.channel)
    } catch {
      self.parser = nil
      Self.send(error.status.rawValue, error.status.reason, error.message + "\n", to: context.channel)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  private func answer(_ head: RequestHead, _ channel: any Channel) {
    guard ["/metrics", "/v1/metrics"].contains(head.path) else {
      return Self.send(404, "Not Found", "metrics are at /metrics\n", to: channel)
    }
    guard ["GET", "HEAD"].contains(head.method) else { return Self.send(405, "Method Not Allowed", "GET is served here\n", to: channel) }
    Self.report(metrics, to: channel, bodyless: head.method == "HEAD")
  }

  private static func report(_ metrics: Metrics, to channel: any Channel, bodyless: Bool) {
    Task {
      let families = await metrics.collect()
      // A large node's text takes a while to write.
      let text = await BlockingWork.run { PrometheusText.render(families) }
      send(200, "OK", text, to: channel, bodyless: bodyless)
    }
  }

  private static func send(_ status: Int, _ reason: String, _ body: String, to channel: any Channel, bodyless: Bool = false) {
    let head = """
      HTTP/1.1 \(status) \(reason)\r
      Content-Type: \(status == 200 ? PrometheusText.contentType : "text/plain; charset=utf-8")\r
      Content-Length: \(body.utf8.count)\r
      Connection: close\r
      \r

      """
    channel.writeAndFlush(ByteBuffer(string: head + (bodyless ? "" : body))).whenComplete { _ in channel.close(promise: nil) }
  }
}
