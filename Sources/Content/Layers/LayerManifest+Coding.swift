import Core
import Linux

/// The manifest as bytes: a header line, the records, a CRC-64 of all of it. Paths share prefixes with the one before, numbers are varints
/// (LEB128): about 40 bytes an entry.
extension LayerManifest {
  private static let header = Array("berth layer manifest 1\n".utf8)

  private enum Tag: UInt64 {
    case directory = 1, opaqueDirectory, link, whiteout, file, symlink, fifo, characterDevice, blockDevice
  }

  func encoded() -> [UInt8] {
    var writer = RecordWriter(bytes: Self.header)
    var last = RawName("")
    writer.number(UInt64(records.count))
    for record in records {
      let shared = record.path.shared(with: last)
      writer.number(UInt64(shared))
      writer.string(record.path.bytes[shared...])
      Self.encode(record.kind, &writer)
      last = record.path
    }
    var sum = Checksum()
    writer.bytes.withUnsafeBytes { sum.update($0) }
    writer.fixed(sum.value)
    return writer.bytes
  }

  private static func encode(_ kind: Kind, _ writer: inout RecordWriter) {
    switch kind {
    case .directory(let metadata, let isOpaque):
      writer.number((isOpaque ? Tag.opaqueDirectory : .directory).rawValue)
      writer.metadata(metadata)
    case .link(let number):
      writer.number(Tag.link.rawValue)
      writer.number(UInt64(number))
    case .whiteout: writer.number(Tag.whiteout.rawValue)
    case .item(let item):
      encode(item.kind, &writer)
      writer.metadata(item.metadata)
    }
  }

  private static func encode(_ kind: Item.Kind, _ writer: inout RecordWriter) {
    switch kind {
    case .file(let size, let checksum):
      writer.number(Tag.file.rawValue)
      writer.number(UInt64(size))
      writer.fixed(checksum)
    case .symlink(let target):
      writer.number(Tag.symlink.rawValue)
      writer.string(target.bytes[...])
    case .fifo: writer.number(Tag.fifo.rawValue)
    case .characterDevice(let device): encode(.characterDevice, device, &writer)
    case .blockDevice(let device): encode(.blockDevice, device, &writer)
    }
  }

  private static func encode(_ tag: Tag, _ device: DeviceNumber, _ writer: inout RecordWriter) {
    writer.number(tag.rawValue)
    writer.number(UInt64(device.major))
    writer.number(UInt64(device.minor))
  }

  /// DATA_LOSS where the bytes are not a whole manifest.
  init(decoding bytes: [UInt8]) throws {
    var reader = RecordReader(bytes[...])
    guard bytes.count >= Self.header.count + 8, bytes.starts(with: Self.header) else { throw RecordReader.damaged }
    var sum = Checksum()
    bytes.withUnsafeBytes { sum.update(UnsafeRawBufferPointer(rebasing: $0.dropLast(8))) }
    var tail = RecordReader(bytes.suffix(8))
    guard try tail.fixed() == sum.value else { throw RecordReader.damaged }
    try reader.skip(Self.header.count)
    let count = try reader.number()
    var last: [UInt8] = []
    for _ in 0..<count {
      let shared = try reader.count(limit: last.count)
      last = try Array(last.prefix(shared)) + reader.string()
      records.append(Record(path: RawName(last), kind: try Self.kind(&reader)))
    }
  }

  private static func kind(_ reader: inout RecordReader) throws -> Kind {
    guard let tag = Tag(rawValue: try reader.number()) else { throw RecordReader.damaged }
    switch tag {
    case .directory: return .directory(try reader.metadata(), isOpaque: false)
    case .opaqueDirectory: return .directory(try reader.metadata(), isOpaque: true)
    case .link: return .link(try reader.count(limit: Int.max))
    case .whiteout: return .whiteout
    default: return .item(Item(kind: try itemKind(tag, &reader), metadata: try reader.metadata()))
    }
  }

  private static func itemKind(_ tag: Tag, _ reader: inout RecordReader) throws -> Item.Kind {
    switch tag {
    case .file: .file(size: Int64(try reader.count(limit: Int.max)), checksum: try reader.fixed())
    case .symlink: .symlink(RawName(try reader.string()))
    case .characterDevice: .characterDevice(try reader.device())
    case .blockDevice: .blockDevice(try reader.device())
    default: .fifo
    }
  }
}

extension RawName {
  /// How many bytes both begin with.
  fileprivate func shared(with other: RawName) -> Int {
    let limit = min(bytes.count, other.bytes.count)
    var count = 0
    while count < limit, bytes[count] == other.bytes[count] { count += 1 }
    return count
  }
}
