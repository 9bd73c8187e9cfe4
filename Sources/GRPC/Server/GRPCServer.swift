import HTTP2
import Linux
package import Logging
import NIOCore
import NIOPosix

/// A gRPC server that listens. ``shutdown(grace:)`` must be called once, before it is let go.
package final class GRPCServer: Sendable {
  private let core: ServerCore
  private let listener: any Channel
  private let socket: UnixSocketFile?
  /// Event loops that are this server's own.
  private let ownLoops: MultiThreadedEventLoopGroup?

  /// Listens and serves. Throws where the address cannot be had, naming it.
  package static func start(
    _ configuration: GRPCServerConfiguration, services: [any GRPCService], interceptors: [any GRPCInterceptor] = [], logger: Logger
  ) async throws -> GRPCServer {
    let core = ServerCore(configuration, services: services, interceptors: interceptors, logger: logger)
    let own = configuration.eventLoops == nil ? MultiThreadedEventLoopGroup(numberOfThreads: 1) : nil
    do {
      let (listener, socket) = try await listen(core, on: configuration.eventLoops ?? own!)
      return GRPCServer(core, listener, socket, own)
    } catch {
      try? await own?.shutdownGracefully()
      throw error
    }
  }

  private init(_ core: ServerCore, _ listener: any Channel, _ socket: UnixSocketFile?, _ ownLoops: MultiThreadedEventLoopGroup?) {
    self.core = core
    self.listener = listener
    self.socket = socket
    self.ownLoops = ownLoops
  }

  /// The TCP port, where it listens on one.
  package var port: Int? { listener.localAddress?.port }

  /// Refuses new connections and calls, waits for the running unary calls up to `grace`, then ends what is left. Returns when all connections are closed.
  package func shutdown(grace: Duration) async {
    socket?.remove()
    try? await listener.close()
    core.connections.forEach { $0.drain() }
    let core = core
    let force = Task {
      try await Task.sleep(for: grace)
      core.connections.forEach { $0.terminate() }
    }
    await core.connections.empty()
    force.cancel()
    try? await ownLoops?.shutdownGracefully()
  }

  private static func listen(_ core: ServerCore, on loops: any EventLoopGroup) async throws -> (any Channel, UnixSocketFile?) {
    let bootstrap = ServerBootstrap(group: loops)
      .serverChannelOption(.backlog, value: 1024)
      .childChannelOption(.writeBufferWaterMark, value: .init(low: 256 << 10, high: 1 << 20))
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let calls = ServerConnection(core, on: channel.eventLoop)
          let connection = HTTP2Connection(.server, configuration: core.configuration.http2, delegate: calls)
          try channel.pipeline.syncOperations.addHandler(connection)
        }
      }
    switch core.configuration.address {
    case .unix(let path, let mode):
      let (descriptor, file) = try UnixSocketFile.listen(path, mode: mode)
      return (try await bootstrap.withBoundSocket(descriptor).get(), file)
    case .loopback(let port):
      let options = bootstrap.serverChannelOption(.socketOption(.so_reuseaddr), value: 1).childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      return (try await options.bind(host: "127.0.0.1", port: port).get(), nil)
    }
  }
}
