import HTTP2
import NIOCore

/// A client and a server session joined by memory; what each saw is kept.
final class SessionPair {
  let client: Session
  let server: Session
  var clientEvents: [SessionEvent] = []
  var serverEvents: [SessionEvent] = []

  init(client: SessionConfiguration = SessionConfiguration(), server: SessionConfiguration = SessionConfiguration()) {
    self.client = Session(.client, configuration: client)
    self.server = Session(.server, configuration: server)
    pump()
  }

  /// Moves bytes both ways until there are none; `step` cuts them into pieces.
  func pump(step: Int = .max) {
    while move(client, server, step) || move(server, client, step) { collect() }
    collect()
  }

  func request(_ path: String = "/s/m", body: ByteBuffer? = nil, end: StreamEnd = .end) -> StreamID {
    client.submitRequest(
      [":method": "POST", ":scheme": "http", ":path": path, ":authority": "localhost"], body: body, end: end)!
  }

  private func move(_ from: Session, _ to: Session, _ step: Int) -> Bool {
    guard var bytes = from.nextOutput() else { return false }
    while let piece = bytes.readSlice(length: min(step, bytes.readableBytes)), piece.readableBytes > 0 { to.receive(piece) }
    return true
  }

  private func collect() {
    clientEvents += client.takeEvents()
    serverEvents += server.takeEvents()
  }
}

extension [SessionEvent] {
  func body(of stream: StreamID) -> ByteBuffer {
    reduce(into: ByteBuffer()) { if case .data(stream, let piece) = $1 { $0.writeImmutableBuffer(piece) } }
  }

  func headers(of stream: StreamID) -> Headers? {
    for case .headers(stream, let headers) in self { return headers }
    return nil
  }

  func trailers(of stream: StreamID) -> Headers? {
    for case .trailers(stream, let headers) in self { return headers }
    return nil
  }

  func closed(_ stream: StreamID) -> ErrorCode? {
    for case .closed(stream, let code) in self { return code }
    return nil
  }

  func hasEnd(of stream: StreamID) -> Bool { contains { if case .end(stream) = $0 { true } else { false } } }

  var failure: (ErrorCode, String)? {
    for case .failed(let code, let reason) in self { return (code, reason) }
    return nil
  }
}

/// A server session fed with raw bytes.
final class RawClient {
  let server: Session
  var events: [SessionEvent] = []

  init(_ configuration: SessionConfiguration = SessionConfiguration()) {
    server = Session(.server, configuration: configuration)
    send(Raw.opening)
  }

  @discardableResult
  func send(_ buffers: ByteBuffer..., at time: NIODeadline = .uptimeNanoseconds(0)) -> [Frame] {
    for buffer in buffers { server.receive(buffer, at: time) }
    return exchange()
  }

  func exchange() -> [Frame] {
    var output = ByteBuffer()
    while let bytes = server.nextOutput() { output.writeImmutableBuffer(bytes) }
    events += server.takeEvents()
    return Frame.parse(output)
  }
}
