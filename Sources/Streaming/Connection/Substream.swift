import Linux
import NIOCore

/// One two-way stream of bytes within a client's connection: a SPDY stream, or a channel of a WebSocket.
/// Everything here happens on the connection's event loop.
protocol Substream: AnyObject {
  /// Who gets what the client sends; held until the stream is over.
  var receiver: (any SubstreamReceiver)? { get set }
  /// Whether the client would take more now.
  var canSend: Bool { get }
  /// The receiver hears ``SubstreamReceiver/canSendAgain()`` once, when ``canSend`` has become true.
  func awaitCanSend()
  func send(_ bytes: ByteBuffer)
  /// Whether ``relay(_:from:)`` passes on more than it is given.
  var relays: Bool { get }
  /// Sends `bytes`, which were read from `socket`, and with them what that has more, as far as the connection can take it over unread. Fails as the
  /// socket does.
  func relay(_ bytes: ByteBuffer, from socket: Int32) throws(SystemError)
  /// Puts what was sent on its way; once for several pieces.
  func flush()
  /// Half-close: nothing more will be sent.
  func finish()
  /// Both directions end at once.
  func reset()
  /// `count` received bytes were passed on, so the client may send as many again.
  func took(_ count: Int)
}

/// What a ``Substream`` tells.
protocol SubstreamReceiver: AnyObject {
  /// To be answered with ``Substream/took(_:)``, now or later.
  func received(_ bytes: ByteBuffer)
  /// The pieces that came together have all been given: the time to flush.
  func batchEnded()
  /// The client's half-close.
  func receivedEnd()
  /// The client reset the stream or is gone. The last call.
  func wasReset()
  func canSendAgain()
}

extension SubstreamReceiver {
  func batchEnded() {}
  func canSendAgain() {}
}

/// The connection below a transport: TCP, TLS, or the messages of a WebSocket.
protocol ByteSink: AnyObject {
  var canWrite: Bool { get }
  func write(_ bytes: ByteBuffer)
  func flush()
  /// Stops and resumes reading what the client sends.
  func pauseReading(_ pause: Bool)
  /// Whether bytes may go to the client through a pipe, unread: over plain TCP.
  var splices: Bool { get }
  /// That pipe, empty; nil where there is none, or while it is in use.
  var freePipe: SplicePipe? { get }
  /// What the pipe holds goes behind what was written. Until it is on its way, ``canWrite`` is false and what is written waits.
  func writePipe()
  /// All has been written. `waiting`: the connection ends when the client has read it and closes, or after a while; else as soon as it is sent.
  func end(waiting: Bool)
}

/// A protocol that was upgraded to: gets the connection's bytes.
protocol Transport: AnyObject {
  func received(_ bytes: ByteBuffer)
  func batchEnded()
  /// The connection takes bytes again.
  func canWriteAgain()
  /// The last call: the client is gone, or the server ends the connection.
  func connectionLost()
  /// The daemon goes down: says so to the client as far as the protocol can.
  func shutDown()
}

/// What a session does with the streams of a connection.
protocol Conversation: AnyObject {
  /// The client opened a stream: `accept` or ``Substream/reset()`` it. For protocols in which clients open streams.
  func opened(_ stream: SPDYSubstream, _ headers: HeaderBlock)
  /// Nobody listens any more: let go of everything.
  func connectionLost()
}
