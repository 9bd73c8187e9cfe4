/// Bytes that are no message.
struct Malformed: Error {}

/// Reads the fields of one protobuf message in order; unknown fields are for the caller to skip.
struct ProtobufReader {
  /// One field. Numbers arrive as `varint`, everything with a length as `bytes`.
  struct Field {
    let number: UInt64
    let varint: UInt64
    let bytes: Bytes

    /// Truncates as protobuf does.
    var uint32: UInt32 { UInt32(truncatingIfNeeded: varint) }
    var int32: Int32 { Int32(truncatingIfNeeded: varint) }
    var int64: Int64 { Int64(bitPattern: varint) }
    var bool: Bool { varint != 0 }
  }

  private let message: Bytes
  private var position = 0

  init(_ message: Bytes) { self.message = message }

  /// Nil at the end.
  mutating func next() throws(Malformed) -> Field? {
    guard position < message.count else { return nil }
    let key = try varint()
    guard key >> 3 != 0 else { throw Malformed() }
    switch key & 7 {
    case 0: return Field(number: key >> 3, varint: try varint(), bytes: [])
    case 1: return Field(number: key >> 3, varint: try fixed(8), bytes: [])
    case 2: return Field(number: key >> 3, varint: 0, bytes: try take(try varint()))
    case 5: return Field(number: key >> 3, varint: try fixed(4), bytes: [])
    default: throw Malformed()
    }
  }

  private mutating func varint() throws(Malformed) -> UInt64 {
    var value: UInt64 = 0
    for shift in 0..<10 {
      guard position < message.count else { throw Malformed() }
      let byte = message[position]
      position += 1
      value |= UInt64(byte & 0x7f) << UInt64(shift * 7)
      if byte & 0x80 == 0 { return value }
    }
    throw Malformed()
  }

  private mutating func fixed(_ width: UInt64) throws(Malformed) -> UInt64 {
    var value: UInt64 = 0
    for (index, byte) in try take(width).enumerated() { value |= UInt64(byte) << UInt64(index * 8) }
    return value
  }

  private mutating func take(_ length: UInt64) throws(Malformed) -> Bytes {
    guard length <= UInt64(message.count - position) else { throw Malformed() }
    let end = position + Int(length)
    defer { position = end }
    return Bytes(message[position..<end])
  }
}
