import Linux

/// The last bytes that went into an archive reader, by their place in the stream: from where the reader was last on, so that next to nothing is copied.
struct RecentInput {
  /// The most that is kept of earlier pieces: the largest PAX header that others read (Go's archive/tar), with what is around it.
  private static let limit = (1 << 20) + (64 << 10)

  private var earlier: [UInt8] = []
  private var current = UnsafeRawBufferPointer(start: nil, count: 0)
  /// Where ``current`` begins.
  private var place: Int64 = 0
  /// What is before is not wanted any more.
  private var start: Int64 = 0

  mutating func forget(before start: Int64) { self.start = start }

  /// Called before the source is asked for its next piece, which makes the last one invalid.
  mutating func release() {
    let end = place + Int64(current.count)
    let wanted = Int(min(max(0, end - start), Int64(Self.limit)))
    let tail = current.suffix(wanted)
    if wanted > tail.count {
      earlier.removeFirst(max(0, earlier.count - (wanted - tail.count)))
    } else {
      earlier.removeAll(keepingCapacity: true)
    }
    earlier += tail
    place = end
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
    guard let records = Self.records(input, start) else { return }
    var rest = records[...]
    while let record = Self.record(&rest) {
      if record.key.elementsEqual("path".utf8) { path = RawName(record.value) }
      if record.key.elementsEqual("linkpath".utf8) { link = RawName(record.value) }
    }
  }

  /// Content of the header that is for this entry alone, behind those that are for all (`g`) and GNU's own for long names (`L`, `K`).
  private static func records(_ input: RecentInput, _ start: Int64) -> [UInt8]? {
    var place = start
    while let header = input.bytes(at: place, 512) {
      let size = octal(header[124..<136])
      if header[156] == UInt8(ascii: "x") { return input.bytes(at: place + 512, size) }
      guard "gLK".utf8.contains(header[156]) else { return nil }
      place += 512 + Int64((size + 511) / 512 * 512)
    }
    return nil
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
