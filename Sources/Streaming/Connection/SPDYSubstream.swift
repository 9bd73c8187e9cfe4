import Linux
import NIOCore

/// A stream that a SPDY client opened.
final class SPDYSubstream: Substream {
  let id: UInt32
  var receiver: (any SubstreamReceiver)?
  /// Bytes received and not taken.
  var untaken = 0
  private weak var transport: SPDYTransport?

  init(id: UInt32, transport: SPDYTransport) {
    self.id = id
    self.transport = transport
  }

  var canSend: Bool { transport?.canSend(id) ?? false }

  /// Sends the reply that lets the client use the stream.
  func accept() { transport?.update { $0.accept(id) } }
  func awaitCanSend() { transport?.await(self) }
  func send(_ bytes: ByteBuffer) { transport?.update { $0.send(id, bytes) } }
  var relays: Bool { transport?.relays ?? false }
  func relay(_ bytes: ByteBuffer, from socket: Int32) throws(SystemError) { try transport?.relay(id, bytes, from: socket) }
  func flush() { transport?.flush() }
  func took(_ count: Int) { transport?.took(self, count) }

  func finish() {
    transport?.update { $0.finish(id) }
    transport?.flush()
    transport?.forgetIfClosed(id)
  }

  func reset() { reset(.cancel) }

  func reset(_ status: SPDYResetStatus) {
    took(untaken)
    transport?.update { $0.reset(id, status) }
    transport?.flush()
    transport?.forgetIfClosed(id)
  }
}
