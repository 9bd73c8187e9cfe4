import Core
import Linux

/// Resolves a layer's open references against the layers below it: where those are not as was assumed, takes its steps again with them in
/// view, then moves on disk what turned out to belong somewhere else. Nothing is unpacked a second time.
struct FixUp {
  private let layer: StagedLayer
  private let view: MergedView
  private let staging: StagingDirectory
  private var tree: LayerTree

  /// The layer as it is on disk afterwards.
  /// - Parameter paths: root directories of the layers below, lowest first.
  static func run(_ layer: StagedLayer, above paths: [String]) throws -> LayerTree {
    var fixUp = FixUp(
      layer: layer, view: try MergedView(paths), staging: try StagingDirectory(path: layer.path),
      tree: LayerTree(items: layer.tree.items))
    let isAsAssumed = try fixUp.confirm()
    if !isAsAssumed { try fixUp.replay() }
    try fixUp.settle()
    try Rebuild(layer.path, from: layer.tree, to: fixUp.tree, isAsAssumed: isAsAssumed).run()
    return fixUp.tree
  }

  /// Whether directories are, or nothing is, where directories were assumed: then the steps would come to the same again.
  private mutating func confirm() throws -> Bool {
    if layer.tree.hasOpenLinks { return false }
    var confirmed = layer.tree
    for id in confirmed.assumed {
      switch try view.look(up: confirmed[id].name, in: confirmed.components(confirmed[id].parent)) {
      case .directory: break
      case nil: confirmed[id].inherits = false
      case .symlink, .other: return false
      }
    }
    tree = confirmed
    return true
  }

  private mutating func replay() throws {
    for step in layer.steps {
      do { try replay(step) } catch { throw Fault(error).within("entry \"\(step.path.joined)\"") }
    }
  }

  private mutating func replay(_ step: LayerStep) throws {
    var changes: [TreeChange] = []
    let number = tree.items.count
    let (view, staging) = (view, staging)
    _ = try tree.take(step, lower: view, &changes) { directory, name in
      try view.item(name, in: directory).map { try staging.copyUp($0, as: number) }
    }
  }

  private mutating func settle() throws {
    var parentsFirst: [LayerTree.DirectoryID] = []
    tree.forEachDirectory { id, _ in parentsFirst.append(id) }
    for id in parentsFirst.reversed() { try settle(id) }
    if tree[LayerTree.root].isOpaque { try hideAllAtRoot() }
  }

  /// After its children: a directory that only held whiteouts of nothing goes with them.
  private mutating func settle(_ id: LayerTree.DirectoryID) throws {
    for (name, node) in tree[id].children {
      switch node {
      case .item: break
      case .whiteout:
        let hides = try tree.showsLower(id) && view.look(up: name, in: tree.components(id)) != nil
        if !hides { tree[id].children[name] = nil }
      case .directory(let child): if try isSuperfluous(child) { tree[id].children[name] = nil }
      }
    }
    if tree[id].inherits { tree[id].metadata = try view.metadata(of: tree.components(id)) }
  }

  /// No entry describes it, nothing is in it, and it hides nothing.
  private func isSuperfluous(_ id: LayerTree.DirectoryID) throws -> Bool {
    let directory = tree[id]
    guard directory.children.isEmpty, directory.metadata == nil || directory.inherits else { return false }
    return try !directory.isOpaque || view.look(up: directory.name, in: tree.components(directory.parent)) == nil
  }

  /// Overlayfs takes every layer's root: what an opaque root hides has to be hidden name by name.
  private mutating func hideAllAtRoot() throws {
    tree[LayerTree.root].isOpaque = false
    for name in try view.names(in: []) where tree[LayerTree.root].children[name] == nil {
      tree[LayerTree.root].children[name] = .whiteout
    }
    for case .directory(let id) in tree[LayerTree.root].children.values { tree[id].isOpaque = true }
  }
}
