import NIOCore
import NIOHTTP1
import NIOSSL

/// Lets a reader that takes its time have all that a peer sent before it hung up.
///
/// When a peer closes its side, the channel reads what the socket still holds whether or not anybody asked for it, and closes; the HTTP client throws
/// away what its reader had not asked for by then, and a resumed transfer fetches it a second time. So the channel lets the peer close its side alone,
/// what comes unasked is kept here and given away as it is asked for, and only then the channel is closed. First in the pipeline: below TLS.
///
/// After a reset the channel cannot be kept: what the socket held goes up at once, announced by ``SurrenderEvent``, for ``UnreadBody`` to catch.
final class LastBytes: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundIn = ByteBuffer

  private var held = CircularBuffer<ByteBuffer>()
  /// Somebody asked for bytes since they last came.
  private var isWanted = true
  private var isEnded = false
  private var isDraining = false

  /// Adds one to a connection for HTTP that has just been made.
  static func add(to channel: any Channel, _ unread: UnreadBodies) -> EventLoopFuture<Void> {
    channel.setOption(.allowRemoteHalfClosure, value: true).flatMap {
      channel.eventLoop.makeCompletedFuture {
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(LastBytes(), position: .first)
        let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPResponseDecoder>.self)
        try pipeline.addHandler(UnreadBody(unread), position: .after(decoder))
        try pipeline.addHandler(PeerCheck(try? pipeline.handler(type: NIOSSLClientHandler.self)), position: .after(decoder))
        try pipeline.addHandler(Farewell())
      }
    }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if isWanted, held.isEmpty { context.fireChannelRead(data) } else { held.append(unwrapInboundIn(data)) }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    guard isWanted, held.isEmpty else { return }
    isWanted = false
    context.fireChannelReadComplete()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    guard case .inputClosed? = event as? ChannelEvent else { return context.fireUserInboundEventTriggered(event) }
    isEnded = true
    drain(context)
  }

  func read(context: ChannelHandlerContext) {
    isWanted = true
    if isEnded || !held.isEmpty { drain(context) } else { context.read() }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    surrender(context)
    context.fireErrorCaught(error)
  }

  func channelInactive(context: ChannelHandlerContext) {
    surrender(context)
    context.fireChannelInactive()
  }

  private func surrender(_ context: ChannelHandlerContext) {
    guard !isDraining, !held.isEmpty else { return }
    isDraining = true
    defer { isDraining = false }
    context.fireUserInboundEventTriggered(SurrenderEvent())
    while let next = held.popFirst() { context.fireChannelRead(wrapInboundOut(next)) }
    context.fireChannelReadComplete()
  }

  /// One piece for each time it is asked for; the channel asks again by itself after each, as it does for what comes from the network.
  private func drain(_ context: ChannelHandlerContext) {
    guard !isDraining else { return }
    isDraining = true
    defer { isDraining = false }
    while isWanted, let next = held.popFirst() {
      isWanted = false
      context.fireChannelRead(wrapInboundOut(next))
      context.fireChannelReadComplete()
      context.channel.read()
    }
    if held.isEmpty, isEnded { context.close(promise: nil) }
  }
}

/// All that follows was not asked for, and is the last that comes.
struct SurrenderEvent {}

/// A peer may say by TLS alone that it is done (close_notify) and leave TCP open: such a connection is of no use for another request. Last in the pipeline.
private final class Farewell: ChannelInboundHandler {
  typealias InboundIn = NIOAny

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .inputClosed? = event as? ChannelEvent {
      let channel = context.channel
      // What came with it is read first.
      context.eventLoop.execute { channel.close(promise: nil) }
    }
    context.fireUserInboundEventTriggered(event)
  }
}
