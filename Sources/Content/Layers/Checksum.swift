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
  mutating func updateZeros(_ count: Int64) {
    var left = count
    while left > 0 {
      let piece = min(left, Int64(Self.zeros.count))
      Self.zeros.withUnsafeBytes { update(UnsafeRawBufferPointer(rebasing: $0[..<Int(piece)])) }
      left -= piece
    }
  }

  private static let zeros = [UInt8](repeating: 0, count: 128 << 10)
}
