import Core
import Linux

/// Appends the primitives of the manifest's format.
struct RecordWriter {
  var bytes: [UInt8]

  mutating func number(_ value: UInt64) {
    var left = value
    while left >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: left) | 0x80)
      left >>= 7
    }
    bytes.append(UInt8(left))
  }

  mutating func fixed(_ value: UInt64) { withUnsafeBytes(of: value.littleEndian) { bytes += $0 } }

  mutating func string(_ value: ArraySlice<UInt8>) {
    number(UInt64(value.count))
    bytes += value
  }

  mutating func metadata(_ metadata: Metadata) {
    number(UInt64(metadata.mode))
    number(UInt64(metadata.owner))
    number(UInt64(metadata.group))
    number(UInt64(bitPattern: metadata.modified.seconds << 1 ^ metadata.modified.seconds >> 63))
    number(UInt64(metadata.modified.nanoseconds))
    number(UInt64(metadata.attributes.count))
    for (name, value) in metadata.attributes.sorted(by: { $0.key < $1.key }) {
      string(name.bytes[...])
      string(value[...])
    }
  }
}

/// Reads what ``RecordWriter`` wrote; everything is bounds-checked.
struct RecordReader {
  static let damaged = Fault(.dataLoss, "the layer's manifest is damaged")

  private var bytes: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

  mutating func skip(_ count: Int) throws {
    guard bytes.count >= count else { throw Self.damaged }
    bytes = bytes.dropFirst(count)
  }

  mutating func number() throws -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: 0, to: 64, by: 7) {
      guard let byte = bytes.popFirst() else { throw Self.damaged }
      value |= UInt64(byte & 0x7f) << UInt64(shift)
      if byte < 0x80 { return value }
    }
    throw Self.damaged
  }

  mutating func count(limit: Int) throws -> Int {
    guard let value = Int(exactly: try number()), value <= limit else { throw Self.damaged }
    return value
  }

  mutating func fixed() throws -> UInt64 {
    let head = bytes.prefix(8)
    try skip(8)
    return head.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  mutating func string() throws -> ArraySlice<UInt8> {
    let count = try count(limit: bytes.count)
    defer { bytes = bytes.dropFirst(count) }
    return bytes.prefix(count)
  }

  mutating func device() throws -> DeviceNumber { DeviceNumber(major: try small(), minor: try small()) }

  private mutating func small<T: FixedWidthInteger>() throws -> T {
    guard let value = T(exactly: try number()) else { throw Self.damaged }
    return value
  }

  mutating func metadata() throws -> Metadata {
    var metadata = Metadata()
    metadata.mode = try small()
    metadata.owner = try small()
    metadata.group = try small()
    let seconds = try number()
    metadata.modified.seconds = Int64(bitPattern: seconds >> 1) ^ -Int64(bitPattern: seconds & 1)
    metadata.modified.nanoseconds = try small()
    for _ in 0..<(try count(limit: bytes.count)) { metadata.attributes[RawName(try string())] = Array(try string()) }
    return metadata
  }
}
