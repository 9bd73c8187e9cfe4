import Core
import Linux

/// Compares a layer's files with its manifest.
struct LayerVerifier: ~Copyable {
  private let root: ConfinedRoot
  private var findings: [String] = []
  /// Inode of each item already seen, by the number of its record.
  private var inodes: [Int: UInt64] = [:]

  init(root: String) throws { self.root = try ConfinedRoot(path: root) }

  /// One line per difference.
  mutating func verify(_ manifest: LayerManifest) throws -> [String] {
    var children: [RawName: Set<RawName>] = [:]
    for record in manifest.records where !record.path.bytes.isEmpty {
      let (parent, name) = record.path.split
      children[parent, default: []].insert(name)
    }
    for (number, record) in manifest.records.enumerated() {
      do { try compare(record, number) } catch let error as SystemError { note(record.path, error.description) }
      if case .directory = record.kind { try findStrangers(record.path, children[record.path] ?? []) }
    }
    return findings
  }

  private mutating func note(_ path: RawName, _ what: String) {
    findings.append("\(path.bytes.isEmpty ? "/" : path.description): \(what)")
  }

  private mutating func findStrangers(_ path: RawName, _ known: Set<RawName>) throws {
    guard let names = try? root.directory(path).names() else { return }
    for name in names where !known.contains(name) { note(path.appending(name), "not part of the layer") }
  }

  private mutating func compare(_ record: LayerManifest.Record, _ number: Int) throws {
    let (parent, name) = record.path.split
    let directory = try root.directory(parent)
    guard let status = try name.bytes.isEmpty ? directory.status() : directory.status(name) else {
      return note(record.path, "is missing")
    }
    switch record.kind {
    case .link(let first): if inodes[first] != status.inode { note(record.path, "is no longer a hard link") }
    case .whiteout: if try !LayerMarks.isHidden(name, status, in: directory) { note(record.path, "is no longer a whiteout") }
    case .directory(let metadata, let isOpaque):
      guard status.type == .directory else { return note(record.path, "is not a directory") }
      let opaque = try LayerMarks.hidesAll(root.directory(record.path).handle)
      if opaque != isOpaque { note(record.path, isOpaque ? "shows the layers below" : "hides the layers below") }
      if !name.bytes.isEmpty { try compare(metadata, status, directory.attributes(name), record.path) }
    case .item(let item):
      inodes[number] = status.inode
      try compare(item, status, directory, name, record.path)
    }
  }

  private mutating func compare(
    _ item: Item, _ status: FileStatus, _ directory: borrowing Directory, _ name: RawName, _ path: RawName
  ) throws {
    guard status.type == item.kind.type else { return note(path, "is a \(status.type), not a \(item.kind.type)") }
    try compare(item.metadata, status, directory.attributes(name), path, isSymlink: status.type == .symlink)
    switch item.kind {
    case .file(let size, let checksum):
      if status.size != size { return note(path, "has \(status.size) bytes, not \(size)") }
      let file = try directory.readFile(name)
      if try Checksum.of(file) != checksum { note(path, "its content has changed") }
    case .symlink(let target): if try directory.readLink(name) != target { note(path, "points somewhere else") }
    case .characterDevice(let number), .blockDevice(let number): if status.device != number { note(path, "is another device") }
    case .fifo: break
    }
  }

  private mutating func compare(
    _ metadata: Metadata, _ status: FileStatus, _ attributes: [RawName: [UInt8]], _ path: RawName, isSymlink: Bool = false
  ) throws {
    if !isSymlink, status.mode != metadata.mode {
      note(path, "has mode \(String(status.mode, radix: 8)), not \(String(metadata.mode, radix: 8))")
    }
    if (status.owner, status.group) != (metadata.owner, metadata.group) {
      note(path, "belongs to \(status.owner):\(status.group), not \(metadata.owner):\(metadata.group)")
    }
    if status.modified != metadata.modified { note(path, "has another modification time") }
    let changed = Set(attributes.keys.filter { !LayerMarks.isReserved($0) }).symmetricDifference(metadata.attributes.keys)
      .union(metadata.attributes.keys.filter { attributes[$0] != metadata.attributes[$0] })
    for name in changed.sorted() { note(path, "extended attribute \(name) differs") }
  }
}

extension Item.Kind {
  var type: FileType {
    switch self {
    case .file: .regular
    case .symlink: .symlink
    case .fifo: .fifo
    case .characterDevice: .characterDevice
    case .blockDevice: .blockDevice
    }
  }
}

extension Checksum {
  static func of(_ file: borrowing FileHandle) throws -> UInt64 {
    var sum = Checksum()
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
    defer { buffer.deallocate() }
    var offset: Int64 = 0
    while case let count = try file.read(into: buffer, at: offset), count > 0 {
      sum.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      offset += Int64(count)
    }
    return sum.value
  }
}
