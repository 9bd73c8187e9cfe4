import Linux
package import NIOCore
import NIOPosix
import Synchronization

/// A ttrpc server on a Unix socket: unary calls, any number of connections. ``shutdown()`` must be called before it is let go.
package final class TTRPCServer: Sendable {
  private let listener: any Channel
  private let socket: UnixSocketFile
  private let open: OpenChannels

  private init(_ listener: any Channel, _ socket: UnixSocketFile, _ open: OpenChannels) {
    self.listener = listener
    self.socket = socket
    self.open = open
  }

  /// Listens and serves. A socket of a server that is gone is replaced; one that answers is EADDRINUSE.
  package static func start(
    _ path: String, mode: UInt32 = 0o600, methods: [TTRPCMethod], on group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
  ) async throws -> TTRPCServer {
    let (descriptor, socket) = try UnixSocketFile.listen(path, mode: mode)
    let open = OpenChannels()
    let table = Dictionary(methods.map { ("\($0.service)/\($0.name)", $0) }) { first, _ in first }
    let listener = try await ServerBootstrap(group: group)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          open.add(channel)
          try channel.pipeline.syncOperations.addHandlers(ByteToMessageHandler(FrameDecoder()), AnswerHandler(table))
        }
      }
      .withBoundSocket(descriptor).get()
    return TTRPCServer(listener, socket, open)
  }

  /// Connections that are open.
  package var connections: Int { open.count }

  /// Takes no more connections and ends those that are open. Idempotent.
  package func shutdown() async {
    socket.remove()
    try? await listener.close()
    await open.closeAll()
  }
}

/// The connections of a server.
private final class OpenChannels: Sendable {
  private struct State {
    var channels: [ObjectIdentifier: any Channel] = [:]
    var isOver = false
  }

  private let state = Mutex(State())

  var count: Int { state.withLock { $0.channels.count } }

  func add(_ channel: any Channel) {
    let id = ObjectIdentifier(channel)
    let isOver = state.withLock { state in
      if !state.isOver { state.channels[id] = channel }
      return state.isOver
    }
    if isOver { return channel.close(promise: nil) }
    channel.closeFuture.whenComplete { [self] _ in state.withLock { _ = $0.channels.removeValue(forKey: id) } }
  }

  /// Returns when none is open; what comes later is closed at once.
  func closeAll() async {
    let channels = state.withLock { state in
      state.isOver = true
      return Array(state.channels.values)
    }
    for channel in channels {
      channel.close(promise: nil)
      try? await channel.closeFuture.get()
    }
  }
}
