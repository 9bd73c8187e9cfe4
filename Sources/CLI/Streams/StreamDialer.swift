import Linux
import NIOCore
import NIOPosix

/// Connects to berthd's streaming server.
struct StreamDialer: Sendable {
  let trust: StreamTrust
  /// One is plenty: nothing on it waits.
  let loop: any EventLoop

  /// Bytes of one read.
  private static let readSize = 256 << 10

  /// Runs `body` with a dialer of its own.
  static func with<T>(_ trust: StreamTrust, _ body: (StreamDialer) async throws -> T) async throws -> T {
    Signals.ignoreBrokenPipes()
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    do {
      let result = try await body(StreamDialer(trust: trust, loop: group.next()))
      try? await group.shutdownGracefully()
      return result
    } catch {
      try? await group.shutdownGracefully()
      throw error
    }
  }

  /// `make` is called on the loop. Returns when the connection stands, not yet upgraded.
  func connect(_ url: String, _ make: @escaping @Sendable (StreamAddress) -> ChannelConnection) async throws {
    let address = try StreamAddress(url)
    let trust = trust
    do {
      _ = try await ClientBootstrap(group: loop)
        .channelOption(.autoRead, value: false)
        .channelOption(.tcpOption(.tcp_nodelay), value: 1)
        .channelOption(.recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 4096, maximum: Self.readSize))
        .channelOption(.writeBufferWaterMark, value: .init(low: 128 << 10, high: 512 << 10))
        .channelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            if address.isSecure { try channel.pipeline.syncOperations.addHandler(try trust.handler(address.host)) }
            try channel.pipeline.syncOperations.addHandler(make(address))
          }
        }
        .connect(host: address.host, port: address.port).get()
    } catch let failure as Failure { throw failure } catch {
      throw Failure("cannot reach berthd's streaming server at \(address.authority): \(error)")
    }
  }
}
