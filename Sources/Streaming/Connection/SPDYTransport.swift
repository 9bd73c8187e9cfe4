import Linux
import NIOCore

/// Drives a ``SPDYSession`` over a connection: its frames to the sink, its events to the streams and the conversation.
final class SPDYTransport: Transport {
  private var session = SPDYSession()
  private let sink: any ByteSink
  private let conversation: any Conversation
  /// Bytes received and not taken, above which the client's bytes stay in the kernel: the only limit that clients without flow control heed.
  private let bufferLimit: Int
  private var streams: [UInt32: SPDYSubstream] = [:]
  private var waiting: [SPDYSubstream] = []
  /// Streams that got something since the last batch ended.
  private var touched: [SPDYSubstream] = []
  private var untaken = 0
  private var isPaused = false
  private var isOver = false

  init(sink: any ByteSink, conversation: any Conversation, bufferLimit: Int) {
    self.sink = sink
    self.conversation = conversation
    self.bufferLimit = bufferLimit
  }

  func received(_ bytes: ByteBuffer) {
    guard !isOver else { return }
    session.feed(bytes)
    do throws(SPDYViolation) {
      while !isOver, let event = try session.next() { handle(event) }
      writeOutgoing()
    } catch { fail(error) }
  }

  func batchEnded() {
    let streams = touched
    touched.removeAll(keepingCapacity: true)
    for stream in streams { stream.receiver?.batchEnded() }
    flush()
  }

  func canWriteAgain() {
    session.drained()
    wakeWaiting()
  }

  func connectionLost() {
    guard !isOver else { return }
    isOver = true
    let streams = Array(streams.values)
    self.streams = [:]
    waiting = []
    touched = []
    for stream in streams { stream.receiver?.wasReset() }
    for stream in streams { stream.receiver = nil }
    conversation.connectionLost()
  }

  func shutDown() {
    update { $0.goAway() }
    flush()
  }

  /// The conversation is over and all of it was sent.
  func end() {
    guard !isOver else { return }
    shutDown()
    sink.end(waiting: true)
  }

  func canSend(_ id: UInt32) -> Bool { !isOver && sink.canWrite && session.canSend(id) }

  func await(_ stream: SPDYSubstream) { waiting.append(stream) }

  func update(_ body: (inout SPDYSession) -> Void) {
    guard !isOver else { return }
    body(&session)
    writeOutgoing()
  }

  var relays: Bool { sink.splices }

  /// One frame: the bytes that were read, then those that were not.
  func relay(_ id: UInt32, _ bytes: ByteBuffer, from socket: Int32) throws(SystemError) {
    let room = min(session.room(id), Pump.relaySize) - bytes.readableBytes
    guard !isOver, room > 0, let pipe = sink.freePipe else { return update { $0.send(id, bytes) } }
    do throws(SystemError) { _ = try pipe.fill(from: socket, limit: room) } catch {
      update { $0.send(id, bytes) }
      throw error
    }
    guard pipe.count > 0 else { return update { $0.send(id, bytes) } }
    update { $0.send(id, bytes, followedBy: pipe.count) }
    sink.writePipe()
  }

  func flush() {
    guard !isOver else { return }
    sink.flush()
    if sink.canWrite { session.drained() }
  }

  func took(_ stream: SPDYSubstream, _ count: Int) {
    let count = min(count, stream.untaken)
    stream.untaken -= count
    untaken -= count
    update { $0.took(stream.id, count) }
    if isPaused && untaken < bufferLimit / 2 {
      isPaused = false
      sink.pauseReading(false)
    }
  }

  /// A stream that is closed both ways needs no object any more.
  func forgetIfClosed(_ id: UInt32) {
    guard session.streams[id] == nil, let stream = streams.removeValue(forKey: id) else { return }
    stream.receiver = nil
  }

  private func handle(_ event: SPDYSession.Event) {
    switch event {
    case .opened(let id, let headers, let ended):
      let stream = SPDYSubstream(id: id, transport: self)
      streams[id] = stream
      conversation.opened(stream, headers)
      if ended { stream.receiver?.receivedEnd() }
    case .data(let id, let bytes): data(id, bytes)
    case .ended(let id):
      let stream = streams[id]
      stream?.receiver?.receivedEnd()
      forgetIfClosed(id)
    case .reset(let id):
      guard let stream = streams.removeValue(forKey: id) else { break }
      stream.receiver?.wasReset()
      stream.receiver = nil
      took(stream, stream.untaken)
    case .windowOpened:
      for id in Array(streams.keys) { forgetIfClosed(id) }
      wakeWaiting()
    }
  }

  private func data(_ id: UInt32, _ bytes: ByteBuffer) {
    guard let stream = streams[id] else { return update { $0.giveBack(bytes.readableBytes) } }
    untaken += bytes.readableBytes
    stream.untaken += bytes.readableBytes
    guard let receiver = stream.receiver else { return took(stream, bytes.readableBytes) }
    if touched.last !== stream { touched.append(stream) }
    receiver.received(bytes)
    if !isPaused && untaken > bufferLimit {
      isPaused = true
      sink.pauseReading(true)
    }
  }

  private func wakeWaiting() {
    guard sink.canWrite else { return }
    let streams = waiting
    waiting = []
    // Who was first is last the next time: one at a time has the way past our memory.
    for stream in streams.dropFirst() + streams.prefix(1) {
      if stream.canSend { stream.receiver?.canSendAgain() } else if self.streams[stream.id] != nil { waiting.append(stream) }
    }
  }

  private func writeOutgoing() {
    guard !session.outgoing.isEmpty else { return }
    for frame in session.takeOutgoing() { sink.write(frame) }
  }

  private func fail(_ violation: SPDYViolation) {
    session.goAway(failed: true)
    writeOutgoing()
    sink.flush()
    connectionLost()
    sink.end(waiting: false)
  }
}
