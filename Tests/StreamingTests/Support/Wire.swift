import Core
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// A client's TCP connection, its bytes as they come.
final class Wire: Sendable {
  let channel: any Channel
  private let collector: Collector

  private init(_ channel: any Channel, _ collector: Collector) {
    self.channel = channel
    self.collector = collector
  }

  static func connect(_ port: Int, tls: NIOSSLContext? = nil) async throws -> Wire {
    let collector = Collector()
    let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLClientHandler(context: tls, serverHostname: nil)) }
          try channel.pipeline.syncOperations.addHandler(CollectingHandler(collector))
        }
      }
      .connect(host: "127.0.0.1", port: port).get()
    return Wire(channel, collector)
  }

  func write(_ bytes: ByteBuffer) async throws { try await channel.writeAndFlush(bytes) }
  func write(_ text: String) async throws { try await write(ByteBuffer(string: text)) }

  /// Bytes, as many as came since the last call and at least one; nil at the end.
  func read() async throws -> ByteBuffer? { try await collector.next() }

  /// All up to the connection's end.
  func readToEnd() async throws -> String {
    var all = ByteBuffer()
    while let bytes = try await read() { all.writeImmutableBuffer(bytes) }
    return String(buffer: all)
  }

  /// The head of a response, without the empty line; what follows it stays to be read.
  func readHead() async throws -> String {
    var all = ByteBuffer()
    while let bytes = try await read() {
      all.writeImmutableBuffer(bytes)
      let text = String(buffer: all)
      if let end = text.firstRange(of: "\r\n\r\n") {
        let length = text[..<end.upperBound].utf8.count
        collector.unread(all.getSlice(at: length, length: all.readableBytes - length) ?? ByteBuffer())
        return String(text[..<end.lowerBound])
      }
    }
    return String(buffer: all)
  }

  func setReading(_ on: Bool) async throws { try await channel.setOption(.autoRead, value: on).get() }
  func close() async throws { try? await channel.close() }
}

/// What came, until somebody asks.
private final class Collector: Sendable {
  private struct State {
    var bytes = ByteBuffer()
    var isOver = false
    var waiter: CheckedContinuation<Void, Never>?
  }
  private let state = Mutex(State())

  func next() async throws -> ByteBuffer? {
    while true {
      let (bytes, isOver) = state.withLock { state in
        defer { state.bytes = ByteBuffer() }
        return (state.bytes, state.isOver)
      }
      if bytes.readableBytes > 0 { return bytes }
      if isOver { return nil }
      try await wait()
    }
  }

  private func wait() async throws {
    await withCheckedContinuation { continuation in
      let isReady = state.withLock { state in
        if state.isOver || state.bytes.readableBytes > 0 { return true }
        state.waiter = continuation
        return false
      }
      if isReady { continuation.resume() }
    }
  }

  func unread(_ bytes: ByteBuffer) {
    state.withLock { state in
      var all = bytes
      all.writeImmutableBuffer(state.bytes)
      state.bytes = all
    }
  }

  func add(_ bytes: ByteBuffer?) {
    let waiter = state.withLock { state in
      if let bytes { state.bytes.writeImmutableBuffer(bytes) } else { state.isOver = true }
      defer { state.waiter = nil }
      return state.waiter
    }
    waiter?.resume()
  }
}

private final class CollectingHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  private let collector: Collector

  init(_ collector: Collector) { self.collector = collector }
  func channelRead(context: ChannelHandlerContext, data: NIOAny) { collector.add(Self.unwrapInboundIn(data)) }
  func channelInactive(context: ChannelHandlerContext) { collector.add(nil) }
  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
