/// The length-delimited fields (strings, bytes, messages) of an encoded message, in order; what is not one is passed over. Ends at what is malformed.
struct WireFields {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

  mutating func next() -> (number: UInt64, content: ArraySlice<UInt8>)? {
    while let tag = varint() {
      switch tag & 7 {
      case 0: if varint() == nil { return nil }
      case 1: if take(8) == nil { return nil }
      case 2: return varint().flatMap { take($0) }.map { (tag >> 3, $0) }
      case 5: if take(4) == nil { return nil }
      default: return nil
      }
    }
    return nil
  }

  /// One such field, encoded.
  static func field(_ number: UInt64, _ content: ArraySlice<UInt8>) -> [UInt8] {
    varint(number << 3 | 2) + varint(UInt64(content.count)) + content
  }

  private static func varint(_ value: UInt64) -> [UInt8] {
    var (bytes, rest): ([UInt8], UInt64) = ([], value)
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }

  private mutating func varint() -> UInt64? {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard let byte = rest.popFirst() else { return nil }
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    return nil
  }

  private mutating func take(_ count: UInt64) -> ArraySlice<UInt8>? {
    guard count <= rest.count else { return nil }
    defer { rest = rest.dropFirst(Int(count)) }
    return rest.prefix(Int(count))
  }
}
