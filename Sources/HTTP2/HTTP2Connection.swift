package import NIOCore

/// What lives above an HTTP/2 connection. Called on the connection's event loop only.
package protocol HTTP2ConnectionDelegate: AnyObject {
  func opened(_ connection: HTTP2Connection)
  func received(_ event: SessionEvent)
  /// The connection is gone, and with it all streams; `cause` says why in words.
  func closed(_ cause: String)
}

/// A ``Session`` on a channel: moves bytes, hands out events, closes when both sides are done. Confined to its event loop.
package final class HTTP2Connection: ChannelInboundHandler {
  package typealias InboundIn = ByteBuffer
  package typealias OutboundOut = ByteBuffer

  package let session: Session
  private let delegate: any HTTP2ConnectionDelegate
  private var context: ChannelHandlerContext?
  private var flushScheduled = false
  private var closing = false
  private var cause = "connection closed"

  /// How long a connection that is finished may linger until the peer has read the last words and closed its side.
  private static let linger = TimeAmount.seconds(1)

  package init(_ role: Session.Role, configuration: SessionConfiguration, delegate: any HTTP2ConnectionDelegate) {
    session = Session(role, configuration: configuration)
    self.delegate = delegate
  }

  /// Sends what the session has at the end of this turn of the event loop: all that happens in one turn goes out together.
  package func setNeedsFlush() {
    guard !flushScheduled, let context else { return }
    flushScheduled = true
    let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
    context.eventLoop.execute { bound.value.flush() }
  }

  /// Ends the connection without ceremony.
  package func abort(_ cause: String) {
    self.cause = cause
    context?.close(promise: nil)
  }

  package func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    if context.channel.isActive { open() }
  }

  package func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  package func channelActive(context: ChannelHandlerContext) { open() }

  package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !closing else { return }
    session.receive(unwrapInboundIn(data))
    deliver()
  }

  package func channelReadComplete(context: ChannelHandlerContext) { flush() }

  package func channelWritabilityChanged(context: ChannelHandlerContext) { flush() }

  package func errorCaught(context: ChannelHandlerContext, error: any Error) { abort(String(describing: error)) }

  package func channelInactive(context: ChannelHandlerContext) {
    self.context = nil
    delegate.closed(cause)
  }

  private func open() {
    delegate.opened(self)
    flush()
  }

  private func deliver() {
    while true {
      let events = session.takeEvents()
      if events.isEmpty { return }
      for event in events {
        if case .failed(_, let reason) = event { cause = reason }
        delegate.received(event)
      }
    }
  }

  private func flush() {
    flushScheduled = false
    guard let context, !closing else { return }
    var wrote = false
    while context.channel.isWritable, let bytes = session.nextOutput() {
      context.write(wrapOutboundOut(bytes), promise: nil)
      wrote = true
      deliver()
    }
    if wrote { context.flush() }
    deliver()
    if session.isFinished { finish(context) }
  }

  private func finish(_ context: ChannelHandlerContext) {
    closing = true
    let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
    context.writeAndFlush(wrapOutboundOut(ByteBuffer())).whenComplete { _ in bound.value.context?.close(mode: .output, promise: nil) }
    context.eventLoop.assumeIsolated().scheduleTask(in: Self.linger) { bound.value.context?.close(promise: nil) }
  }
}
