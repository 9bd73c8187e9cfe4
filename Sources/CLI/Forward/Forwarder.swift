import CRIAPI
import Core
import NIOCore
import NIOPosix

/// Local listeners that lead into a pod.
struct Forwarder: Sendable {
  let dialer: StreamDialer
  let console: Console
  /// A URL for one connection to this port of the pod. Throws NOT_FOUND where the pod is not there any more.
  let url: @Sendable (UInt16) async throws -> String

  /// Listens on all addresses; returns never, but throws when a listener cannot be had or the pod is gone.
  func serve(_ pairs: [PortPair], on addresses: [String]) async throws {
    let end = dialer.loop.makePromise(of: Void.self)
    do {
      for pair in pairs { try await listen(pair, addresses, end) }
    } catch {
      end.fail(error)
    }
    try await end.futureResult.get()
  }

  /// A port of 0 is the same on all addresses.
  private func listen(_ pair: PortPair, _ addresses: [String], _ end: EventLoopPromise<Void>) async throws {
    var port = Int(pair.local)
    for (index, address) in addresses.enumerated() {
      do {
        let listener = try await bind(address, port, pair.remote, end)
        port = listener.localAddress?.port ?? port
        console.print("forwarding \(address.contains(":") ? "[\(address)]" : address):\(port) to port \(pair.remote)")
      } catch {
        // A node without IPv6 has only the first of the default addresses.
        guard index > 0, (error as? IOError)?.errnoCode == EADDRNOTAVAIL || (error as? IOError)?.errnoCode == EAFNOSUPPORT else {
          throw Failure("listen on \(address) port \(port): \(error)")
        }
      }
    }
  }

  private func bind(_ address: String, _ port: Int, _ remote: UInt16, _ end: EventLoopPromise<Void>) async throws -> any Channel {
    try await ServerBootstrap(group: dialer.loop)
      .serverChannelOption(.backlog, value: 1024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.autoRead, value: false)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelOption(.recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 4096, maximum: 256 << 10))
      .childChannelOption(.writeBufferWaterMark, value: .init(low: 128 << 10, high: 512 << 10))
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let connection = ForwardedConnection { console.complain($0) }
          try channel.pipeline.syncOperations.addHandler(connection)
          lead(NIOLoopBound(connection, eventLoop: channel.eventLoop), to: remote, end)
        }
      }
      .bind(host: address, port: port).get()
  }

  private func lead(_ connection: NIOLoopBound<ForwardedConnection>, to port: UInt16, _ end: EventLoopPromise<Void>) {
    let loop = dialer.loop
    Task {
      do { try await dialer.connect(try await url(port)) { connection.value.connection(to: $0) } } catch {
        loop.execute { connection.value.abandon() }
        if let fault = error as? Fault, fault.code == .notFound || fault.code == .failedPrecondition { return end.fail(fault) }
        console.complain(Failure(error).message)
      }
    }
  }
}
