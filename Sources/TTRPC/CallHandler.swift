import NIOCore

/// Writes requests and hands out responses; lives on its channel's event loop.
final class CallHandler: ChannelInboundHandler {
  typealias InboundIn = Frame
  typealias OutboundOut = ByteBuffer

  private var table = CallTable<PendingCall>()
  private var context: ChannelHandlerContext?
  /// Set once; what later calls are told.
  private var end: TTRPCError?

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func handlerRemoved(context: ChannelHandlerContext) {
    close(.connection("connection closed"))
    self.context = nil
  }

  /// Sends the call, or completes it at once with why that cannot be.
  func begin(_ call: PendingCall, _ payload: ByteBuffer) {
    guard end == nil, let context else {
      return call.complete(.failure(end ?? .connection("connection closed")))
    }
    guard let stream = table.begin(call) else {
      call.complete(.failure(.connection("stream numbers are used up")))
      return context.close(promise: nil)
    }
    var buffer = context.channel.allocator.buffer(capacity: Frame.headerLength + payload.readableBytes)
    Frame(stream: stream, kind: .request, flags: 0, payload: payload).write(to: &buffer)
    context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
  }

  /// The call's answer, if it ever comes, is nobody's.
  func abandon(_ call: PendingCall) { table.abandon { $0 === call } }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch table.receive(unwrapInboundIn(data)) {
    case .deliver(let call, let payload): call.complete(.success(payload))
    case .ignore: break
    case .fail(let error): fail(context, error)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { fail(context, error) }

  func channelInactive(context: ChannelHandlerContext) {
    close(.connection("connection closed by the other side"))
    context.fireChannelInactive()
  }

  private func fail(_ context: ChannelHandlerContext, _ error: any Error) {
    close(.connection("\(error)"))
    context.close(promise: nil)
  }

  private func close(_ error: TTRPCError) {
    if end == nil { end = error }
    for call in table.drain() { call.complete(.failure(end ?? error)) }
  }
}
