import Linux
import NIOCore
import WebSocket

/// The channels of a WebSocket as streams. Both ends know them beforehand: nobody opens them.
final class ChannelStreams: WebSocketContent {
  private let socket: WebSocketTransport
  private let conversation: any Conversation
  private var messages: ChannelMessages
  private let isBase64: Bool
  /// Both sides say the end of a channel: port-forward in version 5.
  private let tellsEnds: Bool
  private let bufferLimit: Int
  private var channels: [UInt8: ChannelSubstream] = [:]
  private var touched: [ChannelSubstream] = []
  private var untaken = 0
  private var isPaused = false

  init(
    _ socket: WebSocketTransport, _ kind: Upgrade.WebSocketProtocol, conversation: any Conversation, bufferLimit: Int,
    tellsEnds: Bool = false
  ) {
    self.tellsEnds = tellsEnds && kind == .v5
    self.socket = socket
    self.conversation = conversation
    self.bufferLimit = bufferLimit
    isBase64 = kind.isBase64
    messages = ChannelMessages(isBase64: kind.isBase64, hasCloseSignal: kind == .v5)
  }

  func open(_ channel: UInt8) -> ChannelSubstream {
    let stream = ChannelSubstream(channel, self)
    channels[channel] = stream
    return stream
  }

  var canWrite: Bool { socket.canWrite }

  func send(_ channel: UInt8, _ bytes: ByteBuffer) {
    if isBase64 {
      let text = Base64.encode(bytes.readableBytesView)
      socket.send(.text, prefix: UInt8(ascii: "0") + channel, ByteBuffer(bytes: text))
    } else {
      socket.send(.binary, prefix: channel, bytes)
    }
  }

  var relays: Bool { !isBase64 && socket.splices }

  /// One message: the bytes that were read, then those that were not.
  func relay(_ channel: UInt8, _ bytes: ByteBuffer, from source: Int32) throws(SystemError) {
    guard !isBase64, let pipe = socket.freePipe else { return send(channel, bytes) }
    do throws(SystemError) { _ = try pipe.fill(from: source, limit: Pump.relaySize - bytes.readableBytes) } catch {
      send(channel, bytes)
      throw error
    }
    socket.send(.binary, prefix: channel, bytes, withPipe: true)
  }

  func flush() { socket.flush() }

  func finish(_ channel: UInt8) {
    guard tellsEnds else { return }
    socket.send(.binary, prefix: ChannelMessages.closeSignal, ByteBuffer(integer: channel))
    socket.flush()
  }

  /// What a channel carried is lost, which only the end of all can say.
  func reset() { if tellsEnds { socket.fail("the connection was reset") } }

  /// The conversation is over and all of it was sent.
  func end() { socket.end() }

  func took(_ stream: ChannelSubstream, _ count: Int) {
    let count = min(count, stream.untaken)
    stream.untaken -= count
    untaken -= count
    guard isPaused && untaken < bufferLimit / 2 else { return }
    isPaused = false
    socket.pauseReading(false)
  }

  func payload(_ bytes: ByteBuffer, begins: Bool) throws(WebSocketViolation) {
    if begins { messages.begin() }
    switch try messages.payload(bytes) {
    case .data(let channel, let bytes): received(channel, bytes)
    case .closed(let channel): channels[channel]?.receiver?.receivedEnd()
    case nil: break
    }
  }

  func messageEnded() throws(WebSocketViolation) { try messages.end() }

  func batchEnded() {
    let streams = touched
    touched.removeAll(keepingCapacity: true)
    for stream in streams { stream.receiver?.batchEnded() }
  }

  func canWriteAgain() {
    for stream in channels.values where stream.isWaiting && stream.canSend {
      stream.isWaiting = false
      stream.receiver?.canSendAgain()
    }
  }

  func connectionLost() {
    let streams = channels.values.map { $0 }
    channels = [:]
    touched = []
    for stream in streams { stream.receiver?.wasReset() }
    for stream in streams { stream.receiver = nil }
    conversation.connectionLost()
  }

  func shutDown() {}

  /// What is for a channel that nobody reads is dropped.
  private func received(_ channel: UInt8, _ bytes: ByteBuffer) {
    guard let stream = channels[channel], let receiver = stream.receiver else { return }
    untaken += bytes.readableBytes
    stream.untaken += bytes.readableBytes
    if touched.last !== stream { touched.append(stream) }
    receiver.received(bytes)
    guard !isPaused && untaken > bufferLimit else { return }
    isPaused = true
    socket.pauseReading(true)
  }
}

/// One channel. Most versions have no half-close of the server's and no reset; what is sent after either is dropped.
final class ChannelSubstream: Substream {
  var receiver: (any SubstreamReceiver)?
  var untaken = 0
  var isWaiting = false
  private let channel: UInt8
  private var isClosed = false
  private weak var channels: ChannelStreams?

  init(_ channel: UInt8, _ channels: ChannelStreams) {
    self.channel = channel
    self.channels = channels
  }

  var canSend: Bool { !isClosed && channels?.canWrite ?? false }
  func awaitCanSend() { isWaiting = true }
  func flush() { channels?.flush() }

  func finish() {
    if !isClosed { channels?.finish(channel) }
    isClosed = true
  }

  func took(_ count: Int) { channels?.took(self, count) }

  func send(_ bytes: ByteBuffer) {
    if !isClosed { channels?.send(channel, bytes) }
  }

  var relays: Bool { channels?.relays ?? false }

  func relay(_ bytes: ByteBuffer, from socket: Int32) throws(SystemError) {
    if !isClosed { try channels?.relay(channel, bytes, from: socket) }
  }

  func reset() {
    isClosed = true
    receiver = nil
    took(untaken)
    channels?.reset()
  }
}
