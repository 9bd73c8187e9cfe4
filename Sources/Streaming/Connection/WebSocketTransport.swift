import Linux
import NIOCore
import WebSocket

/// What the messages of a WebSocket are for.
protocol WebSocketContent: AnyObject {
  /// A piece of a message; `begins`: the first one.
  func payload(_ bytes: ByteBuffer, begins: Bool) throws(WebSocketViolation)
  /// The last piece of a message was told.
  func messageEnded() throws(WebSocketViolation)
  func batchEnded()
  func canWriteAgain()
  func connectionLost()
  func shutDown()
}

/// A WebSocket: frames to and from the sink, control frames answered here, messages for the content.
final class WebSocketTransport: Transport {
  private var parser = WebSocketFrameParser()
  private let sink: any ByteSink
  var content: (any WebSocketContent)?
  /// A close frame was sent or the connection is lost: the last thing said on a WebSocket.
  private(set) var isOver = false

  init(sink: any ByteSink) { self.sink = sink }

  var canWrite: Bool { !isOver && sink.canWrite }

  func received(_ bytes: ByteBuffer) {
    guard !isOver else { return }
    parser.feed(bytes)
    do throws(WebSocketViolation) {
      while !isOver, let event = try parser.next() { try handle(event) }
    } catch { close(error.code, error.reason, waiting: false) }
  }

  func batchEnded() {
    content?.batchEnded()
    flush()
  }

  func canWriteAgain() { content?.canWriteAgain() }

  func connectionLost() {
    isOver = true
    let content = content
    self.content = nil
    content?.connectionLost()
  }

  func shutDown() {
    content?.shutDown()
    close(.goingAway, "the server goes down", waiting: true)
  }

  /// Not all could be said.
  func fail(_ reason: String) { close(.internalError, reason, waiting: true) }

  /// All was said.
  func end() { close(.normal, "", waiting: true) }

  var splices: Bool { sink.splices }
  var freePipe: SplicePipe? { isOver ? nil : sink.freePipe }

  /// One message, which ends with what the pipe holds where `withPipe` says so.
  func send(_ opcode: WebSocketOpcode, prefix: UInt8? = nil, _ payload: ByteBuffer, withPipe: Bool = false) {
    send(opcode, prefix: prefix, parts: [payload], length: payload.readableBytes, withPipe: withPipe)
  }

  /// One message that is in pieces.
  func send(_ opcode: WebSocketOpcode, prefix: UInt8? = nil, parts: [ByteBuffer], length: Int, withPipe: Bool = false) {
    guard !isOver else { return }
    let unread = withPipe ? sink.freePipe?.count ?? 0 : 0
    sink.write(WebSocketFrameWriter.head(opcode, prefix: prefix, length: length + unread))
    for part in parts where part.readableBytes > 0 { sink.write(part) }
    if unread > 0 { sink.writePipe() }
  }

  func flush() { sink.flush() }
  func pauseReading(_ pause: Bool) { sink.pauseReading(pause) }

  private func handle(_ event: WebSocketEvent) throws(WebSocketViolation) {
    switch event {
    case .payload(let bytes, let begins):
      try content?.payload(bytes, begins: begins)
      if !parser.isInMessage { try content?.messageEnded() }
    case .pong: break
    // A client that does not read gets no pongs either: nothing may pile up.
    case .ping(let payload): if sink.canWrite { sink.write(WebSocketFrameWriter.pong(payload)) }
    case .close: close(.normal, "", waiting: false)
    }
  }

  /// Section 5.5.1: each side says it once. `waiting`: the client has not said it yet.
  private func close(_ code: WebSocketViolation.Code, _ reason: String, waiting: Bool) {
    guard !isOver else { return }
    isOver = true
    sink.write(WebSocketFrameWriter.close(code, reason))
    sink.flush()
    connectionLost()
    sink.end(waiting: waiting)
  }
}
