package import Core
import Linux
package import Logging
import NIOCore
import NIOPosix

/// The HTTP server that clients of Exec, Attach and PortForward come to. ``shutdown()`` must be called before it is let go.
package final class StreamingServer: StreamingEndpoint {
  private let core: ServerCore
  private let listener: any Channel
  private let loops: MultiThreadedEventLoopGroup
  /// `http://127.0.0.1:40123`
  private let base: String

  private init(_ core: ServerCore, _ listener: any Channel, _ loops: MultiThreadedEventLoopGroup, base: String) {
    self.core = core
    self.listener = listener
    self.loops = loops
    self.base = base
  }

  /// Listens and serves. Throws where the address cannot be had or the certificate cannot be read, naming it.
  package static func start(_ configuration: StreamingConfiguration, logger: Logger) async throws -> StreamingServer {
    Signals.ignoreBrokenPipes()
    let core = ServerCore(configuration.limits, logger: logger)
    let certificates = try configuration.tls.map {
      try CertificateSource($0, patience: configuration.limits.certificateTime, logger: logger)
    }
    let loops = MultiThreadedEventLoopGroup(numberOfThreads: configuration.threads)
    do {
      let listener = try await listen(configuration, core, certificates, loops)
      let base = configuration.base(port: listener.localAddress?.port ?? configuration.port)
      return StreamingServer(core, listener, loops, base: base)
    } catch {
      try? await loops.shutdownGracefully()
      throw Fault(.unavailable, "streaming: listen on \(configuration.address):\(configuration.port): \(error)")
    }
  }

  package func url(for request: StreamRequest) throws -> String {
    let (kind, token) = try core.add(request)
    return "\(base)/\(kind.rawValue)/\(token)"
  }

  /// Refuses what is new, ends all sessions and returns when they are over: processes of execs are killed, attaches detached. What hangs is
  /// waited for no longer than ``ServerLimits/shutdownTime``, and left to the process's end.
  package func shutdown() async {
    core.refuseRequests()
    try? await listener.close()
    core.connections.shutDown()
    let core = core
    let isOver = await Bounded.wait(core.limits.shutdownTime) {
      await core.connections.over()
      await core.work.over()
    }
    core.dialer.close()
    if isOver {
      try? await loops.shutdownGracefully()
    } else {
      core.logger.warning("streaming: sessions did not end in time", metadata: ["sessions": "\(core.work.count)"])
    }
  }

  private static func listen(
    _ configuration: StreamingConfiguration, _ core: ServerCore, _ certificates: CertificateSource?, _ loops: MultiThreadedEventLoopGroup
  ) async throws -> any Channel {
    try await ServerBootstrap(group: loops)
      .serverChannelOption(.backlog, value: 1024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.autoRead, value: false)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelOption(.socketOption(.so_keepalive), value: 1)
      .childChannelOption(.recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 4096, maximum: Pump.readSize))
      .childChannelOption(.writeBufferWaterMark, value: .init(low: 128 << 10, high: 512 << 10))
      .childChannelInitializer { channel in
        CertificateSource.secure(channel, certificates) { ConnectionHandler(core, isPlain: certificates == nil) }
      }
      .bind(host: configuration.address, port: configuration.port).get()
  }
}
