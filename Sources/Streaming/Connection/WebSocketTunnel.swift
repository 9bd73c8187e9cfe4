import Linux
import NIOCore
import WebSocket

/// SPDY inside a WebSocket (`SPDY/3.1+portforward.k8s.io`): the binary messages' payloads, one after the other, are the SPDY connection.
final class WebSocketTunnel: WebSocketContent, ByteSink {
  private let socket: WebSocketTransport
  private var spdy: SPDYTransport?
  private var outgoing = [ByteBuffer]()
  private var size = 0

  /// Frames are gathered into messages of about this many bytes: clients read message by message.
  private static let messageSize = 64 << 10

  init(_ socket: WebSocketTransport) { self.socket = socket }

  func carry(_ spdy: SPDYTransport) { self.spdy = spdy }

  func payload(_ bytes: ByteBuffer, begins: Bool) { spdy?.received(bytes) }
  func messageEnded() {}
  func batchEnded() { spdy?.batchEnded() }
  func canWriteAgain() { spdy?.canWriteAgain() }

  func connectionLost() {
    let spdy = spdy
    self.spdy = nil
    spdy?.connectionLost()
  }

  func shutDown() {
    spdy?.shutDown()
    flush()
  }

  var canWrite: Bool { socket.canWrite }

  func write(_ bytes: ByteBuffer) {
    outgoing.append(bytes)
    size += bytes.readableBytes
    if size >= Self.messageSize { sendMessage() }
  }

  func flush() {
    sendMessage()
    socket.flush()
  }

  func pauseReading(_ pause: Bool) { socket.pauseReading(pause) }

  var splices: Bool { socket.splices }
  var freePipe: SplicePipe? { socket.freePipe }

  /// With what was gathered, one message.
  func writePipe() {
    sendMessage(withPipe: true)
  }

  func end(waiting: Bool) {
    flush()
    socket.end()
  }

  private func sendMessage(withPipe: Bool = false) {
    guard size > 0 || withPipe else { return }
    let parts = outgoing
    outgoing.removeAll(keepingCapacity: true)
    socket.send(.binary, parts: parts, length: size, withPipe: withPipe)
    size = 0
  }
}
