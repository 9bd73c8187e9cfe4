/// Writes one protobuf message; fields with default values are left out.
struct ProtobufWriter {
  private(set) var bytes = Bytes()

  mutating func put(_ number: UInt64, _ value: UInt64) {
    guard value != 0 else { return }
    varint(number << 3)
    varint(value)
  }

  mutating func put(_ number: UInt64, _ value: Int64) { put(number, UInt64(bitPattern: value)) }
  mutating func put(_ number: UInt64, _ value: Int32) { put(number, Int64(value)) }
  mutating func put(_ number: UInt64, _ value: Bool) { put(number, value ? 1 as UInt64 : 0) }

  mutating func put(_ number: UInt64, _ value: Bytes) {
    if !value.isEmpty { message(number, value) }
  }

  /// google.protobuf.Timestamp; nothing for 0, which stands for "not yet".
  mutating func timestamp(_ number: UInt64, _ nanoseconds: Int64) {
    guard nanoseconds > 0 else { return }
    var timestamp = ProtobufWriter()
    timestamp.put(1, nanoseconds / 1_000_000_000)
    timestamp.put(2, nanoseconds % 1_000_000_000)
    message(number, timestamp.bytes)
  }

  /// A length-delimited field, empty ones included.
  mutating func message(_ number: UInt64, _ value: Bytes) {
    varint(number << 3 | 2)
    varint(UInt64(value.count))
    bytes += value
  }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }
}
