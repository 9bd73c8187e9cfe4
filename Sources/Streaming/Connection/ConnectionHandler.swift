import Logging
import NIOCore

/// One client's connection: an HTTP request, then the protocol it was upgraded to.
final class ConnectionHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// May only move downwards.
  enum State {
    case head(RequestHeadParser)
    case upgraded(any Transport)
    /// All was said; what still comes is dropped.
    case over
  }

  let server: ServerCore
  var state = State.head(RequestHeadParser())
  var context: ChannelHandlerContext?
  var isPaused = false
  private var deadline: Scheduled<Void>?
  private var lastActivity = NIODeadline.now()

  init(_ server: ServerCore) { self.server = server }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    if context.channel.isActive { begin(context) }
  }

  func channelActive(context: ChannelHandlerContext) {
    begin(context)
    context.fireChannelActive()
  }

  private func begin(_ context: ChannelHandlerContext) {
    guard deadline == nil else { return }
    setDeadline(server.limits.headTime) { $0.refuse(HTTPRefusal(.requestTimeout, "the request did not come in time")) }
    if !server.connections.add(self, on: context.eventLoop) {
      refuse(HTTPRefusal(.unavailable, "too many connections"))
    }
    context.read()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = Self.unwrapInboundIn(data)
    lastActivity = .now()
    switch state {
    case .head(var parser):
      state = .over
      do throws(HTTPRefusal) {
        let head = try parser.read(&bytes)
        state = .head(parser)
        if let head { try serve(head, rest: bytes) }
      } catch { refuse(error) }
    case .upgraded(let transport): transport.received(bytes)
    case .over: break
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    if case .upgraded(let transport) = state { transport.batchEnded() }
    if !isPaused { context.read() }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    guard context.channel.isWritable, case .upgraded(let transport) = state else { return }
    transport.canWriteAgain()
  }

  func channelInactive(context: ChannelHandlerContext) { gone() }
  func handlerRemoved(context: ChannelHandlerContext) { gone() }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    server.logger.debug("streaming connection", metadata: ["error": "\(error)"])
    context.close(promise: nil)
  }

  private func gone() {
    deadline?.cancel()
    deadline = nil
    if case .upgraded(let transport) = state { transport.connectionLost() }
    state = .over
    context = nil
    server.connections.remove(self)
  }

  /// The upgrade, where the token is good.
  private func serve(_ head: RequestHead, rest: ByteBuffer) throws(HTTPRefusal) {
    guard let context else { return }
    let (upgrade, request) = try server.admit(head)
    context.write(Self.wrapOutboundOut(upgrade.response), promise: nil)
    server.connections.admitted(self)
    let transport = SessionSetup(server: server, sink: self, loop: context.eventLoop).transport(upgrade, request)
    state = .upgraded(transport)
    watchIdleness()
    context.flush()
    if rest.readableBytes > 0 { transport.received(rest) }
  }

  private func refuse(_ refusal: HTTPRefusal) {
    server.logger.debug("streaming request refused", metadata: ["status": "\(refusal.status.rawValue)", "reason": "\(refusal.message)"])
    write(refusal.response)
    end(waiting: false)
  }

  /// The daemon goes down.
  func shutDown() {
    if case .upgraded(let transport) = state { transport.shutDown() }
    context?.close(promise: nil)
  }

  func setDeadline(_ time: TimeAmount, _ body: @escaping (ConnectionHandler) -> Void) {
    deadline?.cancel()
    guard let loop = context?.eventLoop else { return }
    let bound = NIOLoopBound((self, body), eventLoop: loop)
    deadline = loop.scheduleTask(in: time) { bound.value.1(bound.value.0) }
  }

  /// Ends a connection on which nothing went either way for the idle time.
  private func watchIdleness() {
    let left = lastActivity + server.limits.idleTime - .now()
    guard left > .zero else {
      context?.close(promise: nil)
      return
    }
    setDeadline(left) { $0.watchIdleness() }
  }
}

extension ConnectionHandler: ByteSink {
  var canWrite: Bool { context?.channel.isWritable ?? false }

  func write(_ bytes: ByteBuffer) {
    guard let context else { return }
    lastActivity = .now()
    context.write(Self.wrapOutboundOut(bytes), promise: nil)
  }

  func flush() { context?.flush() }

  func pauseReading(_ pause: Bool) {
    isPaused = pause
    if !pause { context?.read() }
  }

  /// Closing with bytes unread would make the kernel reset the connection, and the client lose what it has not read; and Kubernetes' SPDY
  /// clients drop frames they have not handled when they see the end. So the client is to close first.
  func end(waiting: Bool) {
    guard let context else { return }
    state = .over
    pauseReading(false)
    let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
    // An idle client that reads nothing is still bound by the idle time until then.
    context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer())).whenComplete { _ in
      if waiting { bound.value.linger() } else { bound.value.halfClose() }
    }
  }

  private func linger() { setDeadline(server.limits.lingerTime) { $0.halfClose() } }

  private func halfClose() {
    context?.close(mode: .output, promise: nil)
    setDeadline(server.limits.closeTime) { $0.context?.close(promise: nil) }
  }
}
