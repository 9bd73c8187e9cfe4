import NIOCore

/// The server's side of one SPDY/3.1 connection: bytes in and events out, frames out through ``takeOutgoing()``. No I/O.
///
/// Flow control towards the peer holds only once the peer has shown that it knows of it, by SETTINGS or WINDOW_UPDATE: Kubernetes' own
/// clients never open a window, and would wait for ever after the first 64 KiB. With those the connection itself is the limit.
struct SPDYSession {
  enum Event {
    /// To be answered with ``accept(_:)`` or ``reset(_:_:)``. `ended`: the client will send nothing on it.
    case opened(UInt32, HeaderBlock, ended: Bool)
    /// To be given back with ``took(_:_:)`` when it has been passed on.
    case data(UInt32, ByteBuffer)
    /// The client's half-close.
    case ended(UInt32)
    case reset(UInt32)
    /// Streams that were held by flow control may send again.
    case windowOpened
  }

  /// Streams open at a time.
  static let streamLimit = 8192
  /// Bytes that a client may send on a stream before they are taken.
  static let window = 256 << 10
  /// The same for all streams of a connection together.
  static let sessionWindow = 4 << 20
  static let protocolWindow = 64 << 10
  /// Answers that wait for a client that does not read them.
  static let answerLimit = 4096

  struct Stream {
    var sendWindow: Int
    /// Received and taken, but not yet given back to the client's window.
    var credit = 0
    /// What did not fit into the window.
    var pending = ByteBuffer()
    var finPending = false
    var localEnded = false
    var remoteEnded = false
  }

  var streams: [UInt32: Stream] = [:]
  var outgoing: [ByteBuffer] = []
  /// The client's highest stream.
  var lastStream: UInt32 = 0
  var peerKnowsFlowControl = false
  var initialSendWindow = Self.protocolWindow
  var sendWindow = Self.protocolWindow
  var credit = 0
  /// Control frames since the client last read all of them.
  var answers = 0
  var hasBegun = false
  var isGoingAway = false
  /// Ended together with the data that was the last event.
  var endsNext: UInt32?
  var parser = SPDYFrameParser()
  let inflater = HeaderInflater()
  let deflater = HeaderDeflater()

  /// Frames to be sent, in order.
  mutating func takeOutgoing() -> [ByteBuffer] {
    defer { outgoing = [] }
    return outgoing
  }

  /// The connection took all that was written.
  mutating func drained() { answers = 0 }

  mutating func feed(_ bytes: ByteBuffer) {
    begin()
    parser.feed(bytes)
  }

  /// Our windows. Not before the client's first bytes: Kubernetes' clients lose what comes in one packet with the 101.
  private mutating func begin() {
    guard !hasBegun else { return }
    hasBegun = true
    outgoing.append(
      SPDYFrameWriter.settings([
        SPDYSetting(id: SPDYSetting.maximumStreams, value: UInt32(Self.streamLimit)),
        SPDYSetting(id: SPDYSetting.initialWindow, value: UInt32(Self.window)),
      ]))
    outgoing.append(SPDYFrameWriter.windowUpdate(0, delta: UInt32(Self.sessionWindow - Self.protocolWindow)))
  }

  /// Control frames are answered here; the rest is for the caller. nil where more bytes are needed first.
  mutating func next() throws(SPDYViolation) -> Event? {
    if let id = endsNext {
      endsNext = nil
      if let event = ended(id) { return event }
    }
    while let frame = try parser.next() {
      if let event = try receive(frame) { return event }
    }
    return nil
  }

  mutating func answer(_ frame: ByteBuffer) throws(SPDYViolation) {
    answers += 1
    guard answers <= Self.answerLimit else { throw SPDYViolation("a flood of frames whose answers are not read") }
    outgoing.append(frame)
  }
}
