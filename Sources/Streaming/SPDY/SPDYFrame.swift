import NIOCore

/// Frames of SPDY/3.1 as they arrive (SPDY Protocol, Draft 3.1, section 2.2).
enum SPDYFrame: Hashable {
  /// Header blocks are still compressed; every one must be given to the inflater, wanted or not.
  case synStream(UInt32, flags: UInt8, block: ByteBuffer)
  case synReply(UInt32, flags: UInt8, block: ByteBuffer)
  case headers(UInt32, flags: UInt8, block: ByteBuffer)
  case resetStream(UInt32, status: UInt32)
  case settings([SPDYSetting])
  case ping(UInt32)
  case goAway(lastGood: UInt32)
  case windowUpdate(UInt32, delta: UInt32)
  /// A piece of a data frame: `end` says that it is the frame's last one and the frame has the FIN flag.
  case data(UInt32, ByteBuffer, end: Bool)
}

struct SPDYSetting: Hashable {
  /// The flow control window of new streams (section 2.6.4, SETTINGS_INITIAL_WINDOW_SIZE).
  static let initialWindow: UInt32 = 7
  static let maximumStreams: UInt32 = 4

  let id: UInt32
  let value: UInt32
}

enum SPDYFlag {
  static let fin: UInt8 = 0x01
  static let unidirectional: UInt8 = 0x02
}

/// Types of control frames.
enum SPDYType: UInt16 {
  case synStream = 1
  case synReply = 2
  case resetStream = 3
  case settings = 4
  case ping = 6
  case goAway = 7
  case headers = 8
  case windowUpdate = 9
}

/// Why a stream is reset (section 2.6.3).
enum SPDYResetStatus: UInt32, Sendable {
  case protocolError = 1
  case invalidStream = 2
  case refusedStream = 3
  case cancel = 5
  case internalError = 6
  case flowControlError = 7
  case streamAlreadyClosed = 9
}

/// What a peer did that ends the whole session with GOAWAY.
struct SPDYViolation: Error, Hashable, Sendable, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
