extension [UInt8] {
  /// A reader refuses a whole message or record for one wrong byte: each byte that is no UTF-8 becomes a question mark.
  var utf8Text: Bytes {
    var result = self
    var index = 0
    while index < count {
      let length = sequence(index)
      if length == 0 { result[index] = 63 }
      index += Swift.max(length, 1)
    }
    return result
  }

  /// The length of the sequence at `index`; 0 for none.
  private func sequence(_ index: Int) -> Int {
    let first = self[index]
    let length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0
    guard length > 1 else { return length }
    guard index + length <= count, self[(index + 1)..<(index + length)].allSatisfy({ $0 & 0xc0 == 0x80 }) else { return 0 }
    return Self.isAllowed(first, second: self[index + 1]) ? length : 0
  }

  /// Neither overlong, nor a surrogate, nor beyond U+10FFFF.
  private static func isAllowed(_ first: UInt8, second: UInt8) -> Bool {
    switch first {
    case 0xe0: second >= 0xa0
    case 0xed: second <= 0x9f
    case 0xf0: second >= 0x90
    case 0xf4: second <= 0x8f
    default: true
    }
  }
}
