import Core
import Linux

/// What was written into a layer's directory, entry by entry, sorted by path: kept beside the layer, for ``LayerVerifier``.
struct LayerManifest: Sendable, Hashable {
  struct Record: Sendable, Hashable {
    /// Below the layer's root; empty for the root itself.
    var path: RawName
    var kind: Kind
  }

  enum Kind: Sendable, Hashable {
    case directory(Metadata, isOpaque: Bool)
    case item(Item)
    /// Another name of the item in the record with this number.
    case link(Int)
    case whiteout
  }

  var records: [Record] = []

  init() {}

  /// Of a layer as it will be on disk.
  init(_ tree: LayerTree) {
    var numbers: [LayerTree.ItemID: Int] = [:]
    var todo: [(path: RawName, node: LayerTree.Node)] = [("", .directory(LayerTree.root))]
    while let (path, node) = todo.popLast() {
      switch node {
      case .directory(let id):
        let directory = tree[id]
        records.append(Record(path: path, kind: .directory(directory.metadata ?? .implied, isOpaque: directory.isOpaque)))
        todo += directory.children.sorted { $0.key > $1.key }.map { (path: path.appending($0.key), node: $0.value) }
      case .whiteout: records.append(Record(path: path, kind: .whiteout))
      case .item(let item):
        let kind = numbers[item].map(Kind.link) ?? .item(tree.item(item))
        if numbers[item] == nil { numbers[item] = records.count }
        records.append(Record(path: path, kind: kind))
      }
    }
  }

  /// Bytes of files (each inode once), and the number of inodes.
  var usage: DiskUsage {
    records.reduce(into: DiskUsage()) { usage, record in
      switch record.kind {
      case .link: break
      case .item(let item):
        usage.inodes += 1
        if case .file(let size, _) = item.kind { usage.bytes += size }
      case .directory, .whiteout: usage.inodes += 1
      }
    }
  }
}
