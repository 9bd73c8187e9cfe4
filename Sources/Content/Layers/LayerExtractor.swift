import Core
import Linux

/// Applies a layer's archive to a directory of its own, entry by entry. What it did stays in ``tree`` and ``steps``.
struct LayerExtractor: ~Copyable {
  private(set) var tree = LayerTree()
  private(set) var steps: [LayerStep] = []

  private let directory: StagingDirectory
  private let limits: ExtractionLimits
  private var support: AttributeSupport
  private var names: EntryNames

  init(_ directory: StagingDirectory, _ limits: ExtractionLimits) throws {
    self.directory = directory
    support = AttributeSupport(trying: try directory.openKept())
    self.limits = limits
    names = EntryNames(limits)
  }

  /// Extracts everything, then gives directories their metadata.
  mutating func extract(_ reader: TarReader) throws {
    while let entry = try reader.next() {
      do { try apply(entry, reader) } catch { throw Fault(error).within("entry \"\(entry.path)\"") }
    }
    try directory.applyDirectoryMetadata(tree)
  }

  private mutating func apply(_ entry: TarEntry, _ reader: TarReader) throws {
    let path = try names.check(entry.path)
    guard let name = path.name else { return try take(entry, path, reader) }
    switch Overlay.marker(name) {
    case .none: try take(entry, path, reader)
    case .whiteout(let hidden): try note(LayerStep(path: EntryPath(parent: path.parent, name: hidden), action: .whiteout))
    case .opaque: try note(LayerStep(path: names.check(path.parent), action: .opaque))
    case .bookkeeping: break
    case .invalid: throw Fault(.invalidArgument, "a whiteout that names nothing")
    }
  }

  private mutating func take(_ entry: TarEntry, _ path: EntryPath, _ reader: TarReader) throws {
    var metadata = entry.metadata
    metadata.attributes = try support.carried(metadata.attributes, by: entry.kind.type)
    switch entry.kind {
    case .directory: try note(LayerStep(path: path, action: .directory(metadata)))
    case .hardLink(let target):
      let target = try stage("hard link to \"\(target)\"") { try names.check(target) }
      try note(LayerStep(path: path, action: .hardLink(to: target)))
    case .file(let size): try makeItem(Item(kind: .file(size: size, checksum: 0), metadata: metadata), path, reader)
    case .item(let kind):
      try check(kind)
      try makeItem(Item(kind: kind, metadata: metadata), path, reader)
    }
  }

  private func check(_ kind: Item.Kind) throws(Fault) {
    switch kind {
    case .characterDevice(DeviceNumber(major: 0, minor: 0)):
      throw Fault(.invalidArgument, "character device 0:0, which would be a whiteout")
    case .symlink(let target) where target.bytes.isEmpty || target.bytes.count > limits.pathLength:
      throw Fault(.invalidArgument, "a symlink with a target of \(target.bytes.count) bytes")
    default: break
    }
  }

  private mutating func makeItem(_ item: Item, _ path: EntryPath, _ reader: TarReader) throws {
    let id = tree.add(item)
    guard case .placed(let place) = try note(LayerStep(path: path, action: .item(id))) else { return }
    if case .file(let size, _) = item.kind {
      let checksum = try directory.writeFile(place, tree, size: size, item.metadata, reader)
      tree.update(id, Item(kind: .file(size: size, checksum: checksum), metadata: item.metadata))
    } else {
      try directory.makeItem(item, at: place, tree)
    }
  }

  /// Takes a step and does what it means on disk, the item's own file left out.
  @discardableResult
  private mutating func note(_ step: LayerStep) throws -> StepOutcome {
    steps.append(step)
    var changes: [TreeChange] = []
    let outcome = try tree.take(step, lower: nil, &changes)
    for change in changes { try directory.perform(change, tree) }
    if case .linked(let from, let to) = outcome { try directory.link(from, to, tree) }
    return outcome
  }
}
