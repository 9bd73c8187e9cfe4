/// Masking of payload (section 5.3): exclusive or with four bytes, over and over.
enum Mask {
  /// `key` as it lies in memory. Eight bytes at a time.
  static func apply(_ key: UInt32, to bytes: UnsafeMutableRawBufferPointer) {
    let wide = UInt64(key) << 32 | UInt64(key)
    var index = 0
    while index + 8 <= bytes.count {
      let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self) ^ wide
      bytes.storeBytes(of: word, toByteOffset: index, as: UInt64.self)
      index += 8
    }
    while index < bytes.count {
      bytes[index] ^= UInt8(truncatingIfNeeded: key.littleEndian >> UInt32(index % 4 * 8))
      index += 1
    }
  }

  /// The key as the byte after `count` others sees it.
  static func turned(_ key: UInt32, by count: Int) -> UInt32 {
    let shift = UInt32(count % 4 * 8)
    guard shift > 0 else { return key }
    let little = key.littleEndian
    return UInt32(littleEndian: little >> shift | little << (32 - shift))
  }
}
