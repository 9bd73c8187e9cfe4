import Core
import Linux
import Logging
import NIOCore
import NIOPosix
import Streaming
import Support
import Synchronization
import Testing

@testable import berth

/// `berth port-forward` against a streaming server of the test's own, which leads to sockets of the test's own.
@Suite(.serialized, .timeLimit(.minutes(1))) struct ForwarderTests {
  /// A listener whose connections do what `handler` says, a server, and a forwarder to it; `body` gets the local port.
  private func withForwarder(
    _ handler: @escaping @Sendable () -> any ChannelHandler & Sendable, _ body: @escaping @Sendable (Int) async throws -> Void
  ) async throws {
    try await withScratch("forward") { scratch in
      let captured = try CapturedConsole(scratch)
      let target = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
        .childChannelOption(.allowRemoteHalfClosure, value: true)
        .childChannelInitializer { $0.pipeline.addHandler(handler()) }
        .bind(host: "127.0.0.1", port: 0).get()
      let port = UInt16(target.localAddress?.port ?? 0)
      let server = try await StreamingServer.start(StreamingConfiguration(), logger: Logger(label: "t") { _ in SwiftLogNoOpLogHandler() })
      let console = captured.console
      let serving = Task {
        try await StreamDialer.with(StreamTrust()) { dialer in
          let forwarder = Forwarder(dialer: dialer, console: console) { port in
            if Task.isCancelled { throw Fault(.notFound, "gone") }
            return try server.url(for: .portForward(pod: "p", ports: [port]) { nil })
          }
          try await forwarder.serve([try #require(PortPair(argument: ":\(port)"))], on: ["127.0.0.1"])
        }
      }
      var local = 0
      while local == 0 {
        try await Task.sleep(for: .milliseconds(5))
        local = captured.output.firstMatch(of: /:(\d+) to port/).flatMap { Int($0.1) } ?? 0
      }
      let result: Result<Void, any Error>
      do { result = .success(try await body(local)) } catch { result = .failure(error) }
      await server.shutdown()
      try? await target.close()
      serving.cancel()
      try result.get()
    }
  }

  /// Sends back what comes, and ends when the client has ended.
  private final class Echo: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    func channelRead(context: ChannelHandlerContext, data: NIOAny) { context.writeAndFlush(data, promise: nil) }
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
      if case .inputClosed? = event as? ChannelEvent { context.close(mode: .output, promise: nil) }
    }
  }

  /// Says something, and goes on reading until the client ends; then it says how much it got.
  private final class HalfCloser: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    private let count = Atomic(0)
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      count.add(Self.unwrapInboundIn(data).readableBytes, ordering: .relaxed)
    }
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
      guard case .inputClosed? = event as? ChannelEvent else { return }
      let context = NIOLoopBound(context, eventLoop: context.eventLoop)
      let text = "got \(count.load(ordering: .relaxed))"
      context.value.writeAndFlush(NIOAny(ByteBuffer(string: text))).whenComplete { _ in context.value.close(mode: .output, promise: nil) }
    }
  }

  private func exchange(_ port: Int, _ bytes: [UInt8]) async throws -> [UInt8] {
    let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .channelOption(.allowRemoteHalfClosure, value: true)
      .connect(host: "127.0.0.1", port: port) { channel in
        channel.eventLoop.makeCompletedFuture {
          try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
            wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
        }
      }
    return try await channel.executeThenClose { inbound, outbound in
      let sending = Task {
        for start in stride(from: 0, to: bytes.count, by: 64 << 10) {
          try await outbound.write(ByteBuffer(bytes: bytes[start..<min(start + 64 << 10, bytes.count)]))
        }
        outbound.finish()
      }
      var received: [UInt8] = []
      for try await piece in inbound { received += piece.readableBytesView }
      try await sending.value
      return received
    }
  }

  @Test func `bytes go both ways, whole and in order, over many connections at once`() async throws {
    try await withForwarder({ Echo() }) { port in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for index in 0..<20 {
          group.addTask {
            let bytes = (0..<(index * 50_000 + 1)).map { UInt8(truncatingIfNeeded: $0 &* (index + 3) >> 3) }
            let received = try await exchange(port, bytes)
            #expect(received == bytes)
          }
        }
        try await group.waitForAll()
      }
    }
  }

  @Test func `one side's end is told and the other goes on`() async throws {
    try await withForwarder({ HalfCloser() }) { port in
      let answer = try await exchange(port, [UInt8](repeating: 7, count: 300_000))
      #expect(answer == Array("got 300000".utf8))
    }
  }

  /// Cuts the connection with something unread, which is a reset.
  private final class Resetter: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let context = NIOLoopBound(context, eventLoop: context.eventLoop)
      (context.value.channel as? any SocketOptionProvider)?.unsafeSetSocketOption(
        level: .socket, name: .so_linger, value: (Int32(1), Int32(0))
      ).whenComplete { _ in
        context.value.close(promise: nil)
      }
    }
  }

  @Test func `a reset is one on this side, too`() async throws {
    try await withForwarder({ Resetter() }) { port in
      await #expect(throws: (any Error).self) { _ = try await exchange(port, [1]) }
    }
  }
}
