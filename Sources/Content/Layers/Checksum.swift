import CISAL

/// CRC-64 (ECMA-182, reflected) of file content: finds damage at memory speed. It does not defend against someone who may write to the
/// layer: they may as well rewrite the manifest.
struct Checksum: Sendable, Hashable {
  private(set) var value: UInt64 = 0

  mutating func update(_ bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress else { return }
    value = crc64_ecma_refl(value, start.assumingMemoryBound(to: UInt8.self), UInt64(bytes.count))
  }

  /// As if `count` zero bytes had come.
  ///
  /// A CRC's register is a polynomial over GF(2), which every zero bit multiplies by x: so many bits in a row by a power of x, found by squaring. A hole
  /// of any size costs a few thousand steps.
  mutating func updateZeros(_ count: Int64) {
    var left = count
    var power = Self.byte
    var factor = Self.one
    while left > 0 {
      if left & 1 == 1 { factor = Self.product(factor, power) }
      power = Self.product(power, power)
      left >>= 1
    }
    value = ~Self.product(~value, factor)
  }

  /// The polynomials 1 and x^8: the highest power is the lowest bit.
  private static let one: UInt64 = 1 << 63
  private static let byte: UInt64 = 1 << 55
  /// x^64, reduced.
  private static let polynomial: UInt64 = 0xc96c_5795_d787_0f42

  private static func product(_ a: UInt64, _ b: UInt64) -> UInt64 {
    var (a, b, sum) = (a, b, UInt64(0))
    while a != 0 {
      if a & one != 0 { sum ^= b }
      a <<= 1
      b = b & 1 == 0 ? b >> 1 : b >> 1 ^ polynomial
    }
    return sum
  }
}
