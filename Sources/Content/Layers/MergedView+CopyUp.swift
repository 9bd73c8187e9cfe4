import Core
import Linux

/// An item of the layers below that this layer links to.
struct LowerItem {
  let item: Item
  /// Where it is in the one layer that provides it.
  let place: () throws -> OpenPlace

  /// A directory that is kept open, and a name in it.
  final class OpenPlace {
    let directory: Directory
    let name: RawName

    init(_ directory: consuming Directory, _ name: RawName) {
      self.directory = directory
      self.name = name
    }
  }
}

extension MergedView {
  /// Metadata of a directory that is in the view.
  func metadata(of path: [RawName]) throws -> Metadata? {
    guard let name = path.last else { return nil }
    let parent = path.dropLast()
    guard let found = try find(name, in: Array(parent)) else { return nil }
    return try metadata(found, name, Array(parent))
  }

  private func metadata(_ found: Found, _ name: RawName, _ directory: [RawName]) throws -> Metadata {
    let attributes = try open(found, directory).attributes(name).filter { !LayerMarks.isReserved($0.key) }
    let status = found.status
    return Metadata(mode: status.mode, owner: status.owner, group: status.group, modified: status.modified, attributes: attributes)
  }

  /// What is not a directory; `nil` where there is nothing. Content is not read yet: its checksum is 0.
  func item(_ name: RawName, in directory: [RawName]) throws -> LowerItem? {
    guard let found = try find(name, in: directory) else { return nil }
    let kind: Item.Kind
    switch found.status.type {
    case .directory, .socket: throw Fault(.invalidArgument, "a hard link to a directory of the layers below")
    case .regular: kind = .file(size: found.status.size, checksum: 0)
    case .symlink: kind = .symlink(try open(found, directory).readLink(name))
    case .fifo: kind = .fifo
    case .characterDevice: kind = .characterDevice(found.status.device)
    case .blockDevice: kind = .blockDevice(found.status.device)
    }
    let item = Item(kind: kind, metadata: try metadata(found, name, directory))
    return LowerItem(item: item) { LowerItem.OpenPlace(try self.open(found, directory), name) }
  }
}

extension StagingDirectory {
  /// Copies an item of the layers below to the kept ones, as number `number`.
  func copyUp(_ lower: LowerItem, as number: LayerTree.ItemID) throws -> Item {
    guard case .file(let size, _) = lower.item.kind else {
      try makeKept(lower.item, number)
      return lower.item
    }
    let place = try lower.place()
    let file = try place.directory.readFile(place.name)
    guard try file.status().size == size else { throw Fault(.dataLoss, "the file below is not as long as it was") }
    var writer = FileWriter(try createKept(number))
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
    defer { buffer.deallocate() }
    var offset: Int64 = 0
    while let start = try file.nextData(from: offset) {
      let count = try file.read(into: buffer, at: start)
      try writer.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]), at: start)
      offset = start + Int64(count)
    }
    let checksum = try writer.finish(size: size, lower.item.metadata)
    return Item(kind: .file(size: size, checksum: checksum), metadata: lower.item.metadata)
  }
}
