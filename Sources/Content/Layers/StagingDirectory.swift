import Core
import Linux

/// Where a layer is put together: `fs`, its root to be, and `kept`, items by number that are in no place (any more).
/// Everything is done by descriptors below `fs`; the kernel refuses any symlink on the way.
final class StagingDirectory {
  let path: String
  private let files: ConfinedRoot
  private let kept: Directory
  private let birth: Birth
  /// What directories were made with.
  private var modes: [LayerTree.DirectoryID: UInt16] = [:]
  /// Those last opened stay open, the latest at the end: archives list a directory's entries one after the other, and go down and up again.
  private var open: [OpenDirectory] = []

  static let files: RawName = "fs"
  static let kept: RawName = "kept"
  private static let openLimit = 16

  /// Makes a new one at `path`.
  static func make(_ path: String) throws -> StagingDirectory {
    try Files.makeDirectories(path)
    let base = try Directory.open(path)
    try base.makeDirectory(files, mode: Birth.probe)
    try base.makeDirectory(kept)
    return try StagingDirectory(path: path, Birth(below: base.directory(files)))
  }

  /// One that is there already.
  init(path: String, _ birth: Birth = .unknown) throws {
    let files = try ConfinedRoot(path: "\(path)/\(Self.files)")
    let kept = try Directory.open("\(path)/\(Self.kept)")
    self.path = path
    self.files = files
    self.kept = kept
    self.birth = birth
  }

  private final class OpenDirectory {
    let id: LayerTree.DirectoryID
    let directory: Directory

    init(_ id: LayerTree.DirectoryID, _ directory: consuming Directory) {
      self.id = id
      self.directory = directory
    }
  }

  private func with<T: ~Copyable>(_ id: LayerTree.DirectoryID, _ tree: LayerTree, _ body: (borrowing Directory) throws -> T) throws -> T {
    if let known = open.last(where: { $0.id == id }) { return try body(known.directory) }
    let opened = OpenDirectory(id, try files.directory(tree.path(id)))
    if open.count == Self.openLimit { open.removeFirst() }
    open.append(opened)
    return try body(opened.directory)
  }

  func perform(_ change: TreeChange, _ tree: LayerTree) throws {
    switch change {
    case .makeDirectory(let id): try makeDirectory(id, tree)
    case .dropItem(let id, let parent, let name): try with(parent, tree) { try drop(id, name, in: $0, tree) }
    case .removeDirectory(let parent, let name):
      open = []
      try with(parent, tree) { try $0.removeEmptyDirectory(name) }
    }
  }

  private func makeDirectory(_ id: LayerTree.DirectoryID, _ tree: LayerTree) throws {
    let mode = birth.mode(tree[id].metadata ?? .implied)
    try with(tree[id].parent, tree) { try $0.makeDirectory(tree[id].name, mode: mode ?? 0o700) }
    modes[id] = mode
  }

  /// Where directories on the way are only assumed, commit may find that the item belongs somewhere else: it is kept.
  private func drop(_ id: LayerTree.ItemID, _ name: RawName, in parent: borrowing Directory, _ tree: LayerTree) throws {
    let number = RawName("\(id)")
    if !tree.assumed.isEmpty, try kept.status(number) == nil {
      try parent.rename(name, into: kept, as: number)
    } else {
      try parent.removeFile(name)
    }
  }

  func link(_ from: TreePlace, _ to: TreePlace, _ tree: LayerTree) throws {
    let source = try files.directory(tree.path(from.directory))
    try with(to.directory, tree) { try source.link(from.name, into: $0, as: to.name) }
  }

  /// The content's checksum.
  func writeFile(_ place: TreePlace, _ tree: LayerTree, size: Int64, _ metadata: Metadata, _ reader: TarReader) throws -> UInt64 {
    let mode = birth.mode(metadata)
    var writer = FileWriter(try with(place.directory, tree) { try $0.createFile(place.name, mode: mode ?? 0o600) })
    while let (bytes, offset) = try reader.nextBlock() {
      if bytes.isEmpty { continue }
      guard offset >= writer.position, offset <= size, Int64(bytes.count) <= size - offset else {
        throw Fault(
          .invalidArgument, "its content has \(bytes.count) bytes at \(offset), where a file of \(size) bytes has no place for them")
      }
      try writer.write(bytes, at: offset)
    }
    return try writer.finish(size: size, metadata, birth.remaining(metadata, mode))
  }

  func makeItem(_ item: Item, at place: TreePlace, _ tree: LayerTree) throws {
    try with(place.directory, tree) { try $0.make(item, place.name, birth) }
  }

  func makeKept(_ item: Item, _ number: LayerTree.ItemID) throws { try kept.make(item, RawName("\(number)"), .unknown) }

  /// Beside what becomes the layer.
  func openKept() throws -> Directory { try Directory.open("\(path)/\(Self.kept)") }

  func createKept(_ number: LayerTree.ItemID) throws -> FileHandle { try kept.createFile(RawName("\(number)")) }

  /// Only at commit: until then nobody knows whether they hide anything.
  func makeWhiteouts(_ tree: LayerTree) throws {
    try tree.forEachDirectory { id, directory in
      for (name, node) in directory.children where node == .whiteout { try with(id, tree) { try hide(name, in: $0) } }
    }
  }

  private func hide(_ name: RawName, in directory: borrowing Directory) throws {
    if try LayerMarks.hide(name, in: directory) { try markForeign() }
  }

  private func markForeign() throws { try Files.write([], to: "\(path)/\(LayerLayout.foreignMarker)") }

  /// Once nothing more is made in them: what is made in a directory changes its time.
  /// - Parameter isWanted: for some of them only.
  func applyDirectoryMetadata(_ tree: LayerTree, _ isWanted: (LayerTree.Directory) -> Bool = { _ in true }) throws {
    try tree.forEachDirectory { id, directory in
      for case (let name, .directory(let child)) in directory.children where isWanted(tree[child]) {
        try with(id, tree) { try applyMetadata(child, tree[child], name, in: $0) }
      }
    }
    if isWanted(tree[LayerTree.root]) { try files.handle.apply(tree[LayerTree.root].metadata ?? .implied) }
  }

  private func applyMetadata(
    _ id: LayerTree.DirectoryID, _ directory: LayerTree.Directory, _ name: RawName, in parent: borrowing Directory
  ) throws {
    let metadata = directory.metadata ?? .implied
    let remaining = birth.remaining(metadata, modes[id])
    if remaining.isEmpty, metadata.attributes.isEmpty, !directory.isOpaque { return try parent.setModified(name, metadata.modified) }
    let opened = try parent.directory(name)
    if directory.isOpaque, try LayerMarks.hideAll(opened.handle) { try markForeign() }
    try opened.handle.apply(metadata, remaining)
  }
}

extension Directory {
  /// Anything but a file with content.
  func make(_ item: Item, _ name: RawName, _ birth: Birth) throws {
    switch item.kind {
    case .symlink(let target): try makeSymlink(name, to: target)
    case .fifo: try makeNode(name, .fifo)
    case .characterDevice(let number): try makeNode(name, .characterDevice, device: number)
    case .blockDevice(let number): try makeNode(name, .blockDevice, device: number)
    case .file: try makeNode(name, .regular)
    }
    var remaining = birth.remaining(item.metadata, nil)
    if case .symlink = item.kind { remaining.remove(.mode) }
    try apply(item.metadata, to: name, remaining)
  }
}
