import Core
import Linux

/// Where a name is.
struct TreePlace: Sendable, Hashable {
  var directory: LayerTree.DirectoryID
  var name: RawName
}

/// What a step came to.
enum StepOutcome: Sendable, Equatable {
  /// Nothing but the tree changed.
  case noted
  /// The item's file belongs here, and is to be made.
  case placed(TreePlace)
  /// A second name is to be made for what is at `from`.
  case linked(from: TreePlace, to: TreePlace)
  /// A link to what only the layers below can have.
  case open
}

/// Brings an item of the layers below into this one: what `directory` shows there as `name`; `nil` where there is no such item.
typealias CopyUp = (_ directory: [RawName], _ name: RawName) throws -> Item?

/// What the steps do to the tree.
extension LayerTree {
  /// Takes one step; `changes` are what it means on disk, before the outcome itself.
  mutating func take(
    _ step: LayerStep, lower: (any LowerView)?, _ changes: inout [TreeChange], copyUp: CopyUp = { _, _ in nil }
  ) throws -> StepOutcome {
    guard let name = step.path.name else { return try takeRoot(step) }
    if case .opaque = step.action {
      let id = try makeDirectories(step.path.joined, lower: lower, &changes)
      self[id].isOpaque = true
      return .noted
    }
    let parent = try makeDirectories(step.path.parent, lower: lower, &changes)
    let place = TreePlace(directory: parent, name: name)
    switch step.action {
    case .directory(let metadata): try placeDirectory(name, in: parent, metadata, &changes)
    case .item(let id):
      put(id, at: place, &changes)
      return .placed(place)
    case .hardLink(let target): return try link(target, place, lower: lower, &changes, copyUp)
    case .whiteout: hide(name, in: parent, &changes)
    case .opaque: break
    }
    return .noted
  }

  private mutating func takeRoot(_ step: LayerStep) throws(Fault) -> StepOutcome {
    switch step.action {
    case .directory(let metadata): self[Self.root].metadata = metadata
    case .opaque: self[Self.root].isOpaque = true
    case .item, .hardLink, .whiteout: throw Fault(.invalidArgument, "the root can only be a directory")
    }
    return .noted
  }

  /// A directory over a directory keeps what is in it. Over anything else it is a new one, which shows nothing of the layers below.
  private mutating func placeDirectory(
    _ name: RawName, in parent: DirectoryID, _ metadata: Metadata, _ changes: inout [TreeChange]
  ) throws(Fault) {
    let id: DirectoryID
    switch self[parent].children[name] {
    case .directory(let existing): id = existing
    case let replaced:
      if replaced != nil { recent = nil }
      if case .item(let item) = replaced { changes.append(.dropItem(item, in: parent, name)) }
      id = try makeDirectory(name, in: parent, &changes)
      self[id].isOpaque = replaced != nil
    }
    self[id].metadata = metadata
    self[id].inherits = false
  }

  private mutating func put(_ id: ItemID, at place: TreePlace, _ changes: inout [TreeChange]) {
    if let replaced = self[place.directory].children[place.name] { drop(replaced, place.name, in: place.directory, &changes) }
    self[place.directory].children[place.name] = .item(id)
  }

  private mutating func drop(_ node: Node, _ name: RawName, in parent: DirectoryID, _ changes: inout [TreeChange]) {
    recent = nil
    var todo = [(node, name, parent)]
    // Parents first, to be taken from the end.
    var dropped: [TreeChange] = []
    while let (node, name, parent) = todo.popLast() {
      switch node {
      case .whiteout: break
      case .item(let id): dropped.append(.dropItem(id, in: parent, name))
      case .directory(let id):
        dropped.append(.removeDirectory(in: parent, name))
        todo += self[id].children.map { ($0.value, $0.key, id) }
      }
    }
    changes += dropped.reversed()
  }

  /// A whiteout speaks of the layers below only: what this layer has under that name stays, and a directory shows no more of them.
  private mutating func hide(_ name: RawName, in parent: DirectoryID, _ changes: inout [TreeChange]) {
    switch self[parent].children[name] {
    case .item, .whiteout: break
    case .directory(let id) where !hasOnlyWhiteouts(id): self[id].isOpaque = true
    case let node:
      if let node { drop(node, name, in: parent, &changes) }
      self[parent].children[name] = .whiteout
    }
  }

  /// Whether a directory is there for nothing but to hide something in it.
  private func hasOnlyWhiteouts(_ id: DirectoryID) -> Bool {
    var todo = [id]
    while let id = todo.popLast() {
      guard self[id].metadata == nil else { return false }
      for node in self[id].children.values {
        switch node {
        case .item: return false
        case .whiteout: break
        case .directory(let child): todo.append(child)
        }
      }
    }
    return true
  }

  private mutating func link(
    _ target: EntryPath, _ place: TreePlace, lower: (any LowerView)?, _ changes: inout [TreeChange], _ copyUp: CopyUp
  ) throws -> StepOutcome {
    guard let (from, id) = try linkTarget(target, lower: lower, &changes, copyUp) else {
      hasOpenLinks = true
      return .open
    }
    if self[place.directory].children[place.name] == .item(id) { return .noted }
    put(id, at: place, &changes)
    return .linked(from: from, to: place)
  }

  /// The item a hard link means; `nil` where this layer has none and nothing is known of those below.
  private mutating func linkTarget(
    _ path: EntryPath, lower: (any LowerView)?, _ changes: inout [TreeChange], _ copyUp: CopyUp
  ) throws -> (TreePlace, ItemID)? {
    guard let name = path.name else { throw Fault(.invalidArgument, "a hard link to the root") }
    if lower == nil, try existingDirectory(path.parent) == nil { return nil }
    let place = TreePlace(directory: try makeDirectories(path.parent, lower: lower, &changes), name: name)
    switch self[place.directory].children[name] {
    case .item(let id): return (place, id)
    case .directory: throw Fault(.invalidArgument, "a hard link to the directory \"\(path.joined)\"")
    case .whiteout: throw missing(path)
    case nil: break
    }
    guard showsLower(place.directory) else { throw missing(path) }
    if lower == nil { return nil }
    guard let item = try copyUp(components(place.directory), name) else { throw missing(path) }
    let id = add(item)
    self[place.directory].children[name] = .item(id)
    return (place, id)
  }

  private func missing(_ path: EntryPath) -> Fault {
    Fault(.invalidArgument, "a hard link to \"\(path.joined)\", which does not exist")
  }
}
