/// Frames that a client sends.
extension TtrpcHeader {
  static let data: UInt8 = 3
  /// Flags: nothing more follows on its stream; more does; a frame of data without any.
  static let remoteClosed: UInt8 = 1
  private static let remoteOpen: UInt8 = 2
  static let noData: UInt8 = 4

  /// One that came on a stream.
  struct Frame {
    let type: UInt8
    let flags: UInt8
    let data: Bytes
  }

  /// A call with one message.
  static func requestFrame(stream: UInt32, _ request: Bytes) -> Bytes { frame(stream, Self.request, remoteClosed, request) }

  /// A call with messages both ways, the only one of its connection.
  static func streamRequest(_ service: StaticString, _ method: StaticString) -> Bytes {
    var call = ProtobufWriter()
    call.put(1, Bytes(service))
    call.put(2, Bytes(method))
    return frame(1, request, remoteOpen, call.bytes)
  }

  static func streamData(_ message: Bytes) -> Bytes { frame(1, data, 0, message) }

  /// Nothing more comes from here.
  static let streamEnd = frame(1, data, remoteClosed | noData, [])

  private static func frame(_ stream: UInt32, _ type: UInt8, _ flags: UInt8, _ data: Bytes) -> Bytes {
    var frame = Bytes()
    frame.reserveCapacity(size + data.count)
    for word in [UInt32(truncatingIfNeeded: data.count), stream] {
      for shift in [24, 16, 8, 0] as [UInt32] { frame.append(UInt8(truncatingIfNeeded: word >> shift)) }
    }
    return frame + [type, flags] + data
  }
}
