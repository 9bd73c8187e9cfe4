import NIOCore
import WebSocket

/// One connection to a local port and its way into the pod: bytes both ways, each side's half-close told to the other, and a reset as one.
/// Reads from either side only while the other takes more. Lives on the event loop that both share.
final class ForwardedConnection: ChannelInboundHandler, ChannelReceiver {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// Channels of a port-forward with one port.
  private static let data: UInt8 = 0
  private static let error: UInt8 = 1

  /// What went wrong in the pod, in the server's words.
  private let complain: (String) -> Void
  private var context: ChannelHandlerContext?
  private var connection: ChannelConnection?
  private var isOpen = false
  /// What came before the other side was open: a client's end makes SwiftNIO read all before it, asked or not.
  private var early: [ByteBuffer] = []
  private var inputEnded = false
  /// Of the port's number, which comes first on each channel.
  private var unread: [UInt8: Int] = [data: 2, error: 2]
  private var complaint: [UInt8] = []
  private var isOver = false

  init(complain: @escaping (String) -> Void) { self.complain = complain }

  /// Makes the other side, before it is connected.
  func connection(to address: StreamAddress) -> ChannelConnection {
    let connection = ChannelConnection(address, self)
    self.connection = connection
    return connection
  }

  // MARK: The local side

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = Self.unwrapInboundIn(data)
    if isOpen { connection?.send(Self.data, bytes) } else { early.append(bytes) }
  }

  func channelReadComplete(context: ChannelHandlerContext) { readLocal() }

  private func readLocal() { if isOpen, connection?.canSend == true { context?.read() } }

  func channelWritabilityChanged(context: ChannelHandlerContext) { if context.channel.isWritable { connection?.readMore() } }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    guard case .inputClosed? = event as? ChannelEvent else { return }
    inputEnded = true
    if isOpen { connection?.finish(Self.data) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  func channelInactive(context: ChannelHandlerContext) { localGone() }
  func handlerRemoved(context: ChannelHandlerContext) { localGone() }

  private func localGone() {
    context = nil
    isOver = true
    connection?.close()
  }

  /// There will be no other side.
  func abandon() { if !isOver { reset() } }

  // MARK: The pod's side

  func opened() {
    isOpen = true
    if isOver { return connection?.close() ?? () }
    for bytes in early { connection?.send(Self.data, bytes) }
    early = []
    if inputEnded { connection?.finish(Self.data) } else { readLocal() }
  }

  func canSendAgain() { readLocal() }

  func received(_ channel: UInt8, _ bytes: ByteBuffer) {
    var bytes = bytes
    let skipped = min(unread[channel] ?? 0, bytes.readableBytes)
    unread[channel, default: 0] -= skipped
    bytes.moveReaderIndex(forwardBy: skipped)
    guard bytes.readableBytes > 0 else { return }
    if channel == Self.error { return complaint.append(contentsOf: bytes.readableBytesView.prefix(4096 - min(complaint.count, 4096))) }
    context?.write(Self.wrapOutboundOut(bytes), promise: nil)
  }

  func batchEnded() {
    context?.flush()
    if context?.channel.isWritable ?? true { connection?.readMore() }
  }

  /// Half-close, behind all that was written.
  func receivedEnd(_ channel: UInt8) {
    guard channel == Self.data, let context else { return }
    let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
    context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer())).whenSuccess { bound.value.close(mode: .output, promise: nil) }
  }

  func closed(_ failure: Failure?) {
    connection = nil
    if !complaint.isEmpty { complain(String(decoding: complaint, as: UTF8.self)) }
    guard let context, !isOver else { return }
    isOver = true
    if failure != nil || !complaint.isEmpty { return reset() }
    let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
    context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer())).whenComplete { _ in bound.value.close(promise: nil) }
  }

  /// The local client must not take what it has got for all there was.
  private func reset() {
    guard let context else { return }
    let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
    let options = context.channel as? any SocketOptionProvider
    options?.unsafeSetSocketOption(level: .socket, name: .so_linger, value: (Int32(1), Int32(0))).whenComplete { _ in
      bound.value.close(promise: nil)
    }
  }
}
