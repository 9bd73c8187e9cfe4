import NIOCore

/// Sizes of a client's terminal: JSON objects `{"Width":80,"Height":24}` one after the other, in pieces of any length.
struct ResizeParser {
  struct Size: Hashable, Sendable {
    let columns: UInt16
    let rows: UInt16
  }

  /// Bytes of one object; what is longer is none.
  static let limit = 512

  private var object: [UInt8] = []

  /// The sizes that are complete now. What is no size is passed over.
  mutating func feed(_ bytes: ByteBuffer) -> [Size] {
    var sizes: [Size] = []
    for byte in bytes.readableBytesView {
      if byte == UInt8(ascii: "{") { object = [] }
      if object.count < Self.limit { object.append(byte) }
      if byte == UInt8(ascii: "}") {
        if let size = Self.size(object) { sizes.append(size) }
        object = []
      }
    }
    return sizes
  }

  private static func size(_ object: [UInt8]) -> Size? {
    let words = String(decoding: object, as: UTF8.self).split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }.map { $0.lowercased() }
    guard let columns = number("width", in: words), let rows = number("height", in: words), columns > 0 || rows > 0 else { return nil }
    return Size(columns: columns, rows: rows)
  }

  private static func number(_ name: String, in words: [String]) -> UInt16? {
    guard let index = words.firstIndex(of: name), index + 1 < words.count else { return nil }
    return UInt16(words[index + 1])
  }
}
