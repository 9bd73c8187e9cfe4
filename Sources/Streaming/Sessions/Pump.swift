import Linux
import NIOCore
import NIOPosix

/// A descriptor of this node and a stream of a client: what the one gives goes to the other, as fast as the slower of the two.
///
/// One way or both. Reads only while the client takes more; lets the client send only what the descriptor took.
final class Pump: ChannelInboundHandler, SubstreamReceiver {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// Bytes of one read of a pipe, which holds no more.
  static let readSize = 256 << 10
  /// The same of a socket, whose two sides run in step: the more at a time, the fewer turns.
  static let socketReadSize = 512 << 10
  /// The same where the rest need not be read; what fills it is worth a look whether there is more.
  private static let firstReadSize = 16 << 10
  /// Bytes that go to the client at a time where most of them are not read.
  static let relaySize = 1 << 20

  private let stream: any Substream
  /// Called once, when both directions are over.
  private var whenOver: ((any Error)?) -> Void
  /// Set when the channel is all there: SwiftNIO wants no close while it still makes one.
  private var context: ChannelHandlerContext?
  private var added: ChannelHandlerContext?
  /// Bytes that came before there was a channel.
  private var early: [ByteBuffer] = []
  /// Bytes given to the channel and not yet reported to the client.
  private var held = 0
  private var inputEnded = false
  /// A connection; its reset is told as one. A terminal's end is an error, too, and is none.
  private let isTwoWay: Bool
  private var toClientOver: Bool
  private var toDescriptorOver: Bool
  private var isOver = false
  /// The channel's descriptor, valid while there is a context.
  private var descriptor: Int32 = -1
  /// After the process's end: bytes still to be read; nil before.
  private var rest: Int?
  private var failure: (any Error)?

  init(_ stream: any Substream, toClient: Bool, toDescriptor: Bool, whenOver: @escaping ((any Error)?) -> Void) {
    self.stream = stream
    self.whenOver = whenOver
    isTwoWay = toClient && toDescriptor
    toClientOver = !toClient
    toDescriptorOver = !toDescriptor
    stream.receiver = self
  }

  // MARK: From the descriptor

  func handlerAdded(context: ChannelHandlerContext) { added = context }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = Self.unwrapInboundIn(data)
    guard !toClientOver else { return }
    if let rest { self.rest = rest - bytes.readableBytes }
    guard isTwoWay, bytes.readableBytes >= Self.firstReadSize, stream.relays else { return stream.send(bytes) }
    do throws(SystemError) { try stream.relay(bytes, from: descriptor) } catch { errorCaught(context: context, error: error) }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    stream.flush()
    if let rest, rest <= 0 { return endOutput() }
    readMore()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .inputClosed? = event as? ChannelEvent { endOutput() }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    failure = failure ?? error
    context.close(promise: nil)
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) { report() }

  func channelInactive(context: ChannelHandlerContext) { closed() }
  func handlerRemoved(context: ChannelHandlerContext) { closed() }

  // MARK: From the client

  func received(_ bytes: ByteBuffer) {
    guard !toDescriptorOver else { return stream.took(bytes.readableBytes) }
    guard let context else { return early.append(bytes) }
    held += bytes.readableBytes
    context.write(Self.wrapOutboundOut(bytes), promise: nil)
  }

  func batchEnded() {
    context?.flush()
    report()
  }

  func receivedEnd() {
    guard !inputEnded else { return }
    inputEnded = true
    if let context { endInput(context) }
  }

  func wasReset() { abandon() }

  func canSendAgain() { readMore() }

  // MARK: Ends

  /// The process has ended: what is in the descriptor now is all that counts, whoever else holds its other end.
  func readRest() {
    guard let context, context.channel.isActive, !toClientOver else { return }
    rest = PendingBytes.of(descriptor)
    if rest == 0 { endOutput() }
  }

  /// Lets go of the descriptor at once.
  func abandon() {
    (toClientOver, toDescriptorOver) = (true, true)
    early = []
    if let context { context.close(promise: nil) } else { over() }
  }

  /// There will be no descriptor: the client is told that both directions are over.
  func close() { closed() }

  /// There is no channel to be had.
  private func failed(_ error: any Error) {
    failure = error
    closed()
  }

  private func begin() {
    guard let context = added else { return closed() }
    added = nil
    if isOver { return context.close(promise: nil) }
    self.context = context
    for bytes in early {
      held += bytes.readableBytes
      context.write(Self.wrapOutboundOut(bytes), promise: nil)
    }
    early = []
    batchEnded()
    if inputEnded { endInput(context) }
    readMore()
  }

  private func readMore() {
    guard let context, !toClientOver, context.channel.isActive else { return }
    if stream.canSend { context.read() } else { stream.awaitCanSend() }
  }

  /// What was written is the client's to send again once the descriptor has room.
  private func report() {
    guard held > 0, let context, context.channel.isWritable || toDescriptorOver else { return }
    let count = held
    held = 0
    stream.took(count)
  }

  /// Half-closes the descriptor when all before it was written.
  private func endInput(_ context: ChannelHandlerContext) {
    guard !toDescriptorOver else { return }
    let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
    context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer())).whenComplete { _ in bound.value.inputWritten() }
  }

  private func inputWritten() {
    toDescriptorOver = true
    report()
    guard let context else { return }
    if toClientOver { context.close(promise: nil) } else { context.close(mode: .output, promise: nil) }
  }

  private func endOutput() {
    guard !toClientOver else { return }
    toClientOver = true
    stream.finish()
    if toDescriptorOver { context?.close(promise: nil) }
  }

  private func closed() {
    added = nil
    guard !isOver else { return }
    if !toClientOver {
      toClientOver = true
      if failure == nil || !isTwoWay { stream.finish() } else { stream.reset() }
    }
    toDescriptorOver = true
    let dropped = early.reduce(held) { $0 + $1.readableBytes }
    (early, held) = ([], 0)
    if dropped > 0 { stream.took(dropped) }
    over()
  }

  private func over() {
    guard !isOver else { return }
    isOver = true
    context = nil
    let whenOver = whenOver
    self.whenOver = { _ in }
    whenOver(failure)
  }
}

extension Pump {
  /// Takes the descriptor over, which is open for reading only (pipe or terminal) or, with `writing`, for writing only.
  func run(_ descriptor: Int32, writing: Bool, on loop: any EventLoop) {
    self.descriptor = descriptor
    let bootstrap = NIOPipeBootstrap(group: loop)
      .channelOption(.autoRead, value: false)
      .channelOption(.maxMessagesPerRead, value: 1)
      .channelOption(.recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 4096, maximum: Self.readSize))
      .channelOption(.writeBufferWaterMark, value: .init(low: 32 << 10, high: 64 << 10))
      .channelInitializer(initializer(loop))
    let channel =
      writing ? bootstrap.takingOwnershipOfDescriptor(output: descriptor) : bootstrap.takingOwnershipOfDescriptor(input: descriptor)
    watch(channel, loop)
  }

  /// Takes a connected socket over. `readSize`: bytes of one read at most.
  func run(socket: Int32, readSize: Int, on loop: any EventLoop) {
    descriptor = socket
    let readSize = stream.relays ? Self.firstReadSize : readSize
    let channel = ClientBootstrap(group: loop)
      .channelOption(.autoRead, value: false)
      .channelOption(.allowRemoteHalfClosure, value: true)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .channelOption(.maxMessagesPerRead, value: 1)
      .channelOption(.recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 4096, maximum: readSize))
      .channelOption(.writeBufferWaterMark, value: .init(low: 32 << 10, high: 64 << 10))
      .channelInitializer(initializer(loop))
      .withConnectedSocket(socket)
    watch(channel, loop)
  }

  private func initializer(_ loop: any EventLoop) -> @Sendable (any Channel) -> EventLoopFuture<Void> {
    let bound = NIOLoopBound(self, eventLoop: loop)
    return { channel in channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(bound.value) } }
  }

  private func watch(_ channel: EventLoopFuture<any Channel>, _ loop: any EventLoop) {
    let bound = NIOLoopBound(self, eventLoop: loop)
    channel.whenComplete { result in
      switch result {
      case .success: bound.value.begin()
      case .failure(let error): bound.value.failed(error)
      }
    }
  }
}
