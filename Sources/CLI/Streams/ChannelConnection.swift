import NIOCore
import WebSocket

/// What a ``ChannelConnection`` tells, on its event loop.
protocol ChannelReceiver: AnyObject {
  /// Both sides may send.
  func opened()
  func received(_ channel: UInt8, _ bytes: ByteBuffer)
  /// The server will send nothing more on this channel.
  func receivedEnd(_ channel: UInt8)
  /// What came together was given: more comes after ``ChannelConnection/readMore()``.
  func batchEnded()
  /// The connection takes bytes again, or for the first time.
  func canSendAgain()
  /// The last call; a failure where the server did not end the conversation as it should.
  func closed(_ failure: Failure?)
}

extension ChannelReceiver {
  func receivedEnd(_ channel: UInt8) {}
  func canSendAgain() {}
}

/// A WebSocket to berthd's streaming server, with numbered channels (`v5.channel.k8s.io`). Lives on its event loop.
final class ChannelConnection: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  static let subprotocol = "v5.channel.k8s.io"

  /// May only move downwards.
  private enum State {
    case handshake(ClientHandshake)
    case open
    /// A close frame was sent or the connection is lost.
    case over
  }

  private var state: State
  private var parser = WebSocketFrameParser(of: .server)
  private var messages = ChannelMessages(isBase64: false, hasCloseSignal: true)
  private var receiver: (any ChannelReceiver)?
  private var context: ChannelHandlerContext?

  init(_ address: StreamAddress, _ receiver: any ChannelReceiver) {
    state = .handshake(ClientHandshake(host: address.authority, path: address.path, subprotocol: Self.subprotocol))
    self.receiver = receiver
  }

  var canSend: Bool { context?.channel.isWritable ?? false }

  // MARK: To the server

  /// Fulfilled when the kernel has it.
  @discardableResult
  func send(_ channel: UInt8, _ bytes: ByteBuffer) -> EventLoopFuture<Void>? {
    guard case .open = state, let context else { return nil }
    return context.writeAndFlush(Self.wrapOutboundOut(WebSocketFrameWriter.masked(.binary, prefix: channel, bytes)))
  }

  /// Half-close of a channel.
  func finish(_ channel: UInt8) { send(ChannelMessages.closeSignal, ByteBuffer(integer: channel)) }

  /// Gives what has come on, and asks for more.
  func readMore() { context?.read() }

  /// The server hears that we go; ``ChannelReceiver/closed(_:)`` follows.
  func close() {
    if case .open = state {
      send(frame: .close, WebSocketFrameWriter.closePayload(.normal, ""))
    }
    end(nil)
  }

  private func send(frame: WebSocketOpcode, _ payload: ByteBuffer) {
    context?.writeAndFlush(Self.wrapOutboundOut(WebSocketFrameWriter.masked(frame, payload)), promise: nil)
  }

  // MARK: From the server

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    if context.channel.isActive { begin(context) }
  }

  func channelActive(context: ChannelHandlerContext) {
    begin(context)
    context.fireChannelActive()
  }

  private func begin(_ context: ChannelHandlerContext) {
    guard case .handshake(let handshake) = state else { return }
    context.writeAndFlush(Self.wrapOutboundOut(handshake.request), promise: nil)
    context.read()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = Self.unwrapInboundIn(data)
    do {
      if case .handshake(var handshake) = state {
        let done = try handshake.read(&bytes)
        state = done ? .open : .handshake(handshake)
        if done { receiver?.opened() }
      }
      guard case .open = state else { return }
      parser.feed(bytes)
      while case .open = state, let event = try parser.next() { try handle(event) }
    } catch let refusal as ClientHandshake.Refusal {
      end(Failure("berthd's streaming server: \(refusal.message)"))
    } catch {
      end(Failure("berthd's streaming server: \((error as? WebSocketViolation)?.reason ?? "\(error)")"))
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    switch state {
    case .handshake: context.read()
    case .open: receiver?.batchEnded()
    case .over: break
    }
  }

  private func handle(_ event: WebSocketEvent) throws(WebSocketViolation) {
    switch event {
    case .payload(let bytes, let begins):
      if begins { messages.begin() }
      switch try messages.payload(bytes) {
      case .data(let channel, let bytes): receiver?.received(channel, bytes)
      case .closed(let channel): receiver?.receivedEnd(channel)
      case nil: break
      }
    case .ping(let payload): send(frame: .pong, payload)
    case .pong: break
    case .close(let code):
      send(frame: .close, WebSocketFrameWriter.closePayload(.normal, ""))
      end(Self.failure(code))
    }
  }

  private static func failure(_ code: UInt16?) -> Failure? {
    switch code {
    case nil, WebSocketViolation.Code.normal.rawValue: nil
    case WebSocketViolation.Code.goingAway.rawValue: Failure("berthd went down")
    case let code?: Failure("berthd ended the session (WebSocket code \(code))")
    }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable { receiver?.canSendAgain() }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { end(Failure("connection to berthd's streaming server: \(error)")) }

  func channelInactive(context: ChannelHandlerContext) { end(Failure("berthd's streaming server cut the connection")) }

  func handlerRemoved(context: ChannelHandlerContext) {
    end(Failure("berthd's streaming server cut the connection"))
    self.context = nil
  }

  private func end(_ failure: Failure?) {
    if case .over = state { return }
    state = .over
    let receiver = receiver
    self.receiver = nil
    context?.close(promise: nil)
    receiver?.closed(failure)
  }
}
