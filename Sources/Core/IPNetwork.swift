/// An IP address as its bytes: 4 or 16.
package struct IPAddress: Hashable, Sendable {
  let bytes: [UInt8]

  /// Of text as it stands in an address, without brackets and zone. An IPv4 address written as IPv6 (`::ffff:10.0.0.1`) is that IPv4
  /// address.
  package init?(_ text: some StringProtocol) {
    guard let bytes = Self.v4(text) ?? Self.v6(text) else { return nil }
    let mapped = bytes.count == 16 && bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xff && bytes[11] == 0xff
    self.bytes = mapped ? Array(bytes[12...]) : bytes
  }

  /// 127.0.0.0/8 and ::1.
  package var isLoopback: Bool { bytes.count == 4 ? bytes[0] == 127 : bytes.dropLast().allSatisfy { $0 == 0 } && bytes[15] == 1 }

  private static func v4(_ text: some StringProtocol) -> [UInt8]? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    let bytes = parts.compactMap { part in part.count <= 3 && part.allSatisfy(\.isNumber) ? UInt8(part) : nil }
    return parts.count == 4 && bytes.count == 4 ? bytes : nil
  }

  /// RFC 4291 section 2.2.
  private static func v6(_ text: some StringProtocol) -> [UInt8]? {
    guard text.contains(":"), text.utf8.count <= 45 else { return nil }
    let gap = text.ranges(of: "::")
    guard gap.count <= 1 else { return nil }
    guard let gap = gap.first else {
      let bytes = groups(text[...])
      return bytes?.count == 16 ? bytes : nil
    }
    guard let head = groups(text[..<gap.lowerBound]), let tail = groups(text[gap.upperBound...]), head.count + tail.count <= 14 else {
      return nil
    }
    return head + [UInt8](repeating: 0, count: 16 - head.count - tail.count) + tail
  }

  private static func groups(_ text: some StringProtocol) -> [UInt8]? {
    if text.isEmpty { return [] }
    var bytes: [UInt8] = []
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    for (number, part) in parts.enumerated() {
      if number == parts.count - 1, let last = v4(part) {
        bytes += last
      } else {
        guard (1...4).contains(part.utf8.count), let value = UInt16(part, radix: 16), part.first != "+" else { return nil }
        bytes += [UInt8(value >> 8), UInt8(value & 0xff)]
      }
    }
    return bytes
  }
}

/// An address range, `10.0.0.0/8`.
package struct IPNetwork: Hashable, Sendable {
  let address: IPAddress
  /// Leading bits that count.
  let length: Int

  package init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let address = IPAddress(parts[0]), let length = Int(parts[1]), (0...address.bytes.count * 8).contains(length)
    else { return nil }
    self.address = address
    self.length = length
  }

  package func contains(_ other: IPAddress) -> Bool {
    guard other.bytes.count == address.bytes.count else { return false }
    let whole = length / 8
    guard other.bytes[..<whole] == address.bytes[..<whole] else { return false }
    if length % 8 == 0 { return true }
    let mask = UInt8(truncatingIfNeeded: 0xff00 >> (length % 8))
    return other.bytes[whole] & mask == address.bytes[whole] & mask
  }
}
