/// Identifiers of sandboxes and containers: 64 lower-case hexadecimal digits, as tools that parse cgroup paths expect.
package enum Identifier {
  package static let length = 64

  /// 256 random bits from the system's generator.
  package static func random() -> String {
    var generator = SystemRandomNumberGenerator()
    var digits: [UInt8] = []
    digits.reserveCapacity(length)
    let alphabet = Array("0123456789abcdef".utf8)
    for _ in 0..<4 {
      var word = generator.next() as UInt64
      for _ in 0..<16 {
        digits.append(alphabet[Int(word & 15)])
        word >>= 4
      }
    }
    return String(decoding: digits, as: UTF8.self)
  }
}
