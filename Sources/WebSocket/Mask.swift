/// Masking of payload (section 5.3): exclusive or with four bytes, over and over.
enum Mask {
  /// `key` as it lies in memory. 64 bytes at a time.
  static func apply(_ key: UInt32, to bytes: UnsafeMutableRawBufferPointer) {
    let wide = SIMD16<UInt32>(repeating: key)
    var index = 0
    while index + 64 <= bytes.count {
      let words = bytes.loadUnaligned(fromByteOffset: index, as: SIMD16<UInt32>.self) ^ wide
      bytes.storeBytes(of: words, toByteOffset: index, as: SIMD16<UInt32>.self)
      index += 64
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
