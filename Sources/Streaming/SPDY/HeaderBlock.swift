import NIOCore

/// Names and values of a stream (section 2.6.10). Names are compared without regard to letter case.
struct HeaderBlock: Hashable, Sendable {
  private var pairs: [(name: String, value: String)] = []

  static func == (a: HeaderBlock, b: HeaderBlock) -> Bool { a.pairs.elementsEqual(b.pairs, by: ==) }

  func hash(into hasher: inout Hasher) {
    for pair in pairs { hasher.combine(pair.name) }
  }

  init(_ pairs: KeyValuePairs<String, String> = [:]) {
    self.pairs = pairs.map { ($0.key.lowercased(), $0.value) }
  }

  /// The first value of a name.
  subscript(name: String) -> String? {
    guard let pair = pairs.first(where: { $0.name == name.lowercased() }) else { return nil }
    return String(pair.value.prefix { $0 != "\0" })
  }

  init(decoding bytes: [UInt8]) throws(SPDYViolation) {
    var buffer = ByteBuffer(bytes: bytes)
    guard let count = buffer.readInteger(as: UInt32.self) else { throw SPDYViolation("a header block without a count") }
    for _ in 0..<min(count, UInt32(bytes.count)) {
      let (name, value) = (try Self.text(&buffer), try Self.text(&buffer))
      guard !name.isEmpty else { throw SPDYViolation("a header without a name") }
      pairs.append((name.lowercased(), value))
    }
    guard pairs.count == Int(count), buffer.readableBytes == 0 else { throw SPDYViolation("a header block of the wrong length") }
  }

  private static func text(_ buffer: inout ByteBuffer) throws(SPDYViolation) -> String {
    guard let length = buffer.readInteger(as: UInt32.self), let text = buffer.readString(length: Int(length)) else {
      throw SPDYViolation("a header that is longer than its block")
    }
    return text
  }

  var encoded: [UInt8] {
    var buffer = ByteBuffer(integer: UInt32(pairs.count))
    for pair in pairs {
      for text in [pair.name, pair.value] {
        buffer.writeInteger(UInt32(text.utf8.count))
        buffer.writeString(text)
      }
    }
    return Array(buffer.readableBytesView)
  }
}
