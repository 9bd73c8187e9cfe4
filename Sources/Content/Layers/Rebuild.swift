import Core
import Linux

/// Turns a layer's directory from the shape it was extracted in into the one it has to have. Where nothing moved, that is nothing but
/// whiteouts and the metadata of directories; otherwise a new root is made of links to the old one's files, and whole directories that are
/// alike in both are moved as they are.
struct Rebuild {
  private let path: String
  private let old: LayerTree
  private let new: LayerTree
  private let isAsAssumed: Bool

  private static let fresh: RawName = "fresh"

  /// - Parameters:
  ///   - path: the layer's staging directory.
  ///   - isAsAssumed: a directory of `new` differs from the same one of `old` by what ``FixUp`` settled, if at all.
  init(_ path: String, from old: LayerTree, to new: LayerTree, isAsAssumed: Bool) {
    self.path = path
    self.old = old
    self.new = new
    self.isAsAssumed = isAsAssumed
  }

  func run() throws {
    let isAlike = isAlike(LayerTree.root, LayerTree.root)
    if !isAlike { try rebuild() }
    let staging = try StagingDirectory(path: path)
    try staging.makeWhiteouts(new)
    try staging.applyDirectoryMetadata(new) { directory in
      !(isAlike && isAsAssumed) || directory.inherits || directory.isOpaque || directory.children.values.contains(.whiteout)
    }
  }

  /// Whether everything but whiteouts is the same below two directories.
  private func isAlike(_ a: LayerTree.DirectoryID, _ b: LayerTree.DirectoryID) -> Bool {
    var todo = [(a, b)]
    while let (a, b) = todo.popLast() {
      guard old.entries(a) == new.entries(b) else { return false }
      for (name, node) in old[a].children {
        switch (node, new[b].children[name]) {
        case (.whiteout, _): break
        case (.item(let a), .item(let b)) where a == b: break
        case (.directory(let a), .directory(let b)): todo.append((a, b))
        default: return false
        }
      }
    }
    return true
  }

  /// A directory to be moved once everything else is linked: until then its files may be linked from elsewhere.
  private struct Move {
    var from: RawName
    var to: RawName
  }

  /// A directory that is there and still empty; `old` is what was in its place.
  private struct Fresh {
    var id: LayerTree.DirectoryID
    var old: LayerTree.DirectoryID?
  }

  private func rebuild() throws {
    let base = try Directory.open(path)
    try base.makeDirectory(Self.fresh)
    let source = try ConfinedRoot(path: "\(path)/\(StagingDirectory.files)")
    let target = try ConfinedRoot(path: "\(path)/\(Self.fresh)")
    var moves: [Move] = []
    let paths = itemPaths()
    var todo = [Fresh(id: LayerTree.root, old: LayerTree.root)]
    while let fresh = todo.popLast() { try fill(fresh, source, target, paths, &moves, &todo) }
    for move in moves {
      let (from, to) = (move.from.split, move.to.split)
      try source.directory(from.parent).rename(from.name, into: target.directory(to.parent), as: to.name)
    }
    try base.removeTree(StagingDirectory.files)
    try base.rename(Self.fresh, into: base, as: StagingDirectory.files)
  }

  private func fill(
    _ fresh: Fresh, _ source: borrowing ConfinedRoot, _ target: borrowing ConfinedRoot, _ paths: [LayerTree.ItemID: RawName],
    _ moves: inout [Move], _ todo: inout [Fresh]
  ) throws {
    let path = new.path(fresh.id)
    let directory = try target.directory(path)
    for (name, node) in new[fresh.id].children {
      switch node {
      case .whiteout: break
      case .item(let item): try link(item, source, paths, into: directory, name)
      case .directory(let child):
        let before = fresh.old.flatMap { old.directory(name, in: $0) }
        if let before, isAlike(before, child) {
          moves.append(Move(from: old.path(before), to: path.appending(name)))
        } else {
          try directory.makeDirectory(name)
          todo.append(Fresh(id: child, old: before))
        }
      }
    }
  }

  /// From its place in the old tree, or from among the kept ones.
  private func link(
    _ item: LayerTree.ItemID, _ source: borrowing ConfinedRoot, _ paths: [LayerTree.ItemID: RawName],
    into directory: borrowing Directory, _ name: RawName
  ) throws {
    if let (parent, old) = paths[item]?.split {
      try source.directory(parent).link(old, into: directory, as: name)
    } else {
      try Directory.open("\(path)/\(StagingDirectory.kept)").link(RawName("\(item)"), into: directory, as: name)
    }
  }

  private func itemPaths() -> [LayerTree.ItemID: RawName] {
    var paths: [LayerTree.ItemID: RawName] = [:]
    old.forEachDirectory { id, directory in
      let path = old.path(id)
      for case (let name, .item(let item)) in directory.children { paths[item] = path.appending(name) }
    }
    return paths
  }
}

extension RawName {
  /// The last component, and what is before it.
  var split: (parent: RawName, name: RawName) {
    guard let slash = bytes.lastIndex(of: 0x2f) else { return ("", self) }
    return (RawName(bytes[..<slash]), RawName(bytes[(slash + 1)...]))
  }
}

extension LayerTree {
  fileprivate func directory(_ name: RawName, in id: DirectoryID) -> DirectoryID? {
    if case .directory(let child) = self[id].children[name] { child } else { nil }
  }

  /// How many names of a directory are no whiteouts.
  fileprivate func entries(_ id: DirectoryID) -> Int { self[id].children.values.reduce(0) { $0 + ($1 == .whiteout ? 0 : 1) } }
}
