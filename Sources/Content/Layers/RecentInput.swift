import Linux

/// The last bytes that went into an archive reader, by their place in the stream.
struct RecentInput {
  /// Bytes of earlier pieces that are kept: more than a PAX header takes that only names a file.
  private static let kept = 32 << 10

  private var earlier: [UInt8] = []
  private var current = UnsafeRawBufferPointer(start: nil, count: 0)
  /// Where ``current`` begins.
  private var place: Int64 = 0

  /// Called before the source is asked for its next piece, which makes the last one invalid.
  mutating func release() {
    let tail = current.suffix(Self.kept)
    earlier = Array(earlier.suffix(Self.kept - tail.count)) + tail
    place += Int64(current.count)
    current = UnsafeRawBufferPointer(start: nil, count: 0)
  }

  mutating func add(_ piece: UnsafeRawBufferPointer) { current = piece }

  /// `count` bytes from `start` on; `nil` where they are not all here any more.
  func bytes(at start: Int64, _ count: Int) -> [UInt8]? {
    let first = start - (place - Int64(earlier.count))
    guard first >= 0, count >= 0, first + Int64(count) <= Int64(earlier.count + current.count) else { return nil }
    return (Int(first)..<Int(first) + count).map { $0 < earlier.count ? earlier[$0] : current[$0 - earlier.count] }
  }
}

/// Names in an entry's PAX header as they are written there: libarchive turns them into Unicode's composed form (NFC), and a file that a Mac named
/// would have another name than its image says.
struct PaxNames {
  private(set) var path: RawName?
  private(set) var link: RawName?

  /// - Parameter start: where the entry's first header begins.
  init(_ input: RecentInput, at start: Int64) {
    guard let header = input.bytes(at: start, 512), header[156] == UInt8(ascii: "x"),
      let records = input.bytes(at: start + 512, Self.octal(header[124..<136]))
    else { return }
    var rest = records[...]
    while let record = Self.record(&rest) {
      if record.key.elementsEqual("path".utf8) { path = RawName(record.value) }
      if record.key.elementsEqual("linkpath".utf8) { link = RawName(record.value) }
    }
  }

  /// `known` as the header has it, where both are the same to Unicode.
  static func exact(_ known: RawName, _ written: RawName?) -> RawName {
    guard let written, String(decoding: written.bytes, as: UTF8.self) == String(decoding: known.bytes, as: UTF8.self) else { return known }
    return written
  }

  private static func octal(_ field: ArraySlice<UInt8>) -> Int {
    let digits = field.drop { $0 == 0x20 }.prefix { (0x30...0x37).contains($0) }
    return digits.reduce(0) { $0 * 8 + Int($1 - 0x30) }
  }

  /// Takes `LENGTH KEY=VALUE\n` off the front (pax(1), "Extended Header").
  private static func record(_ rest: inout ArraySlice<UInt8>) -> (key: ArraySlice<UInt8>, value: ArraySlice<UInt8>)? {
    let digits = rest.prefix { (0x30...0x39).contains($0) }
    guard (1...8).contains(digits.count), let length = Int(String(decoding: digits, as: UTF8.self)), length > digits.count + 1,
      length <= rest.count
    else { return nil }
    let record = rest.prefix(length).dropFirst(digits.count + 1).dropLast()
    rest = rest.dropFirst(length)
    guard let equals = record.firstIndex(of: UInt8(ascii: "=")) else { return nil }
    return (record[..<equals], record[(equals + 1)...])
  }
}
