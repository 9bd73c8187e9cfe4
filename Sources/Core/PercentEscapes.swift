/// Percent escapes (RFC 3986, section 2.1) as the bytes that they stand for.
package enum PercentEscapes {
  /// Malformed ones stay as they are, and the text is not whole then.
  package static func decode(_ text: some StringProtocol) -> (bytes: [UInt8], isWhole: Bool) {
    var (bytes, isWhole): ([UInt8], Bool) = ([], true)
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      if let value = value(rest.prefix(2)) {
        bytes.append(value)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
        isWhole = false
      }
    }
    return (bytes, isWhole)
  }

  /// A sign is no digit.
  private static func value(_ digits: ArraySlice<UInt8>) -> UInt8? {
    guard digits.count == 2, digits.first != UInt8(ascii: "+") else { return nil }
    return UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
  }
}
