import Linux
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
  /// False where what is written goes through TLS.
  let isPlain: Bool
  /// Made with the first bytes that are not read.
  var lane: SpliceLane?
  private var deadline: Scheduled<Void>?
  var lastActivity = NIODeadline.now()

  init(_ server: ServerCore, isPlain: Bool) {
    self.server = server
    self.isPlain = isPlain
  }

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
      refuse(HTTPRefusal(.unavailable, "no more connections are served now"))
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
    canWriteAgain()
  }

  func canWriteAgain() {
    if canWrite, case .upgraded(let transport) = state { transport.canWriteAgain() }
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
    lane = nil
    context = nil
    server.connections.remove(self)
  }

  /// The upgrade, where the token is good.
  private func serve(_ head: RequestHead, rest: ByteBuffer) throws(HTTPRefusal) {
    guard let context else { return }
    let (upgrade, request, span) = try server.admit(head)
    context.write(Self.wrapOutboundOut(upgrade.response), promise: nil)
    server.connections.admitted(self)
    let transport = SessionSetup(server: server, sink: self, loop: context.eventLoop, span: span).transport(upgrade, request)
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
