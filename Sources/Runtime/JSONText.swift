/// JSON without a parser: this program looks for single strings in what others wrote.
enum JSONText {
  /// The value of the first key of that name (given with its quotes), whatever object it is in; nil where there is none or it is no plain string.
  /// No string's content can look like a key: its quotes would have backslashes.
  static func text(of key: StaticString, in json: Bytes) -> Bytes? {
    guard let start = valueIndex(of: key, in: json), json[start] == 0x22 else { return nil }
    let rest = json[(start + 1)...]
    guard let end = rest.firstIndex(of: 0x22), !rest[..<end].contains(0x5c) else { return nil }
    return Bytes(rest[..<end])
  }

  /// The same for a number that is not negative.
  static func number(of key: StaticString, in json: Bytes) -> Int64? {
    guard let start = valueIndex(of: key, in: json) else { return nil }
    return Bytes(json[start...].prefix { (48...57).contains($0) }).number
  }

  private static func valueIndex(of key: StaticString, in json: Bytes) -> Int? {
    var from = 0
    while let found = json.find(key, from: from) {
      from = found + key.utf8CodeUnitCount
      let rest = json[from...].drop(while: isBlank)
      guard rest.first == 58 else { continue }
      return rest.dropFirst().drop(while: isBlank).indices.first
    }
    return nil
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }
}
