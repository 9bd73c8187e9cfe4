import Core
import Linux

/// Finding the directory that a path of the archive means: as the kernel would in a root of its own, symlinks followed.
extension LayerTree {
  /// One walk: what is still to do, and what it does on its way.
  private struct Walk {
    var current: DirectoryID = root
    /// In reverse.
    var todo: [RawName]
    var follows = 0

    /// As many symlinks as the kernel follows.
    static let maximumFollows = 40

    mutating func follow(_ target: RawName) throws(Fault) {
      follows += 1
      guard follows <= Self.maximumFollows else { throw Fault(.invalidArgument, "too many symlinks on the way") }
      if target.isAbsolute { current = LayerTree.root }
      todo += target.components.reversed()
    }
  }

  /// The directory at `path`; what is missing on the way is made. The layer's own symlinks are followed, an absolute one from the root;
  /// to climb above the root is an error.
  mutating func makeDirectories(_ path: RawName, lower: (any LowerView)?, _ changes: inout [TreeChange]) throws -> DirectoryID {
    // With the layers below in view, a new name can hide a symlink that was followed.
    if lower == nil, let recent, recent.path == path { return recent.id }
    var walk = Walk(todo: path.components.reversed())
    while let name = walk.todo.popLast() {
      if name == ".." {
        guard walk.current != Self.root else { throw Fault(.invalidArgument, "a symlink on the way climbs out of the root") }
        walk.current = self[walk.current].parent
      } else {
        try step(into: name, &walk, lower, &changes)
      }
    }
    recent = (path, walk.current)
    return walk.current
  }

  private mutating func step(into name: RawName, _ walk: inout Walk, _ lower: (any LowerView)?, _ changes: inout [TreeChange])
    throws
  {
    switch self[walk.current].children[name] {
    case .directory(let next): walk.current = next
    case .item(let id):
      guard case .symlink(let target) = item(id).kind else { throw notDirectory(name, in: walk.current) }
      try walk.follow(target)
    case .whiteout: walk.current = try makeImplied(name, in: walk.current, opaque: true, inherits: false, &changes)
    case nil: try stepBelow(name, &walk, lower, &changes)
    }
  }

  /// The layer itself does not have `name`: the layers below decide, or are taken to have a directory.
  private mutating func stepBelow(_ name: RawName, _ walk: inout Walk, _ lower: (any LowerView)?, _ changes: inout [TreeChange])
    throws
  {
    let isVisible = showsLower(walk.current)
    guard isVisible, let lower else {
      walk.current = try makeImplied(name, in: walk.current, opaque: false, inherits: isVisible, &changes)
      return
    }
    switch try lower.look(up: name, in: components(walk.current)) {
    case .symlink(let target): try walk.follow(target)
    case .other: throw notDirectory(name, in: walk.current)
    case .directory: walk.current = try makeImplied(name, in: walk.current, opaque: false, inherits: true, &changes)
    case nil: walk.current = try makeImplied(name, in: walk.current, opaque: false, inherits: false, &changes)
    }
  }

  /// The directory at `path` where the layer itself has all of the way; `nil` where something is missing.
  func existingDirectory(_ path: RawName) throws(Fault) -> DirectoryID? {
    var walk = Walk(todo: path.components.reversed())
    while let name = walk.todo.popLast() {
      if name == ".." {
        guard walk.current != Self.root else { throw Fault(.invalidArgument, "a symlink on the way climbs out of the root") }
        walk.current = self[walk.current].parent
        continue
      }
      switch self[walk.current].children[name] {
      case .directory(let next): walk.current = next
      case .item(let id):
        guard case .symlink(let target) = item(id).kind else { throw notDirectory(name, in: walk.current) }
        try walk.follow(target)
      case .whiteout, nil: return nil
      }
    }
    return walk.current
  }

  private func notDirectory(_ name: RawName, in directory: DirectoryID) -> Fault {
    Fault(.invalidArgument, "\"\(path(directory).appending(name))\" on the way is not a directory")
  }

  private mutating func makeImplied(
    _ name: RawName, in parent: DirectoryID, opaque: Bool, inherits: Bool, _ changes: inout [TreeChange]
  ) throws(Fault) -> DirectoryID {
    let id = try makeDirectory(name, in: parent, &changes)
    self[id].isOpaque = opaque
    if inherits { inherit(id) }
    return id
  }

  mutating func makeDirectory(_ name: RawName, in parent: DirectoryID, _ changes: inout [TreeChange]) throws(Fault) -> DirectoryID {
    guard self[parent].depth < Self.maximumDepth else {
      throw Fault(.invalidArgument, "more than \(Self.maximumDepth) directories deep")
    }
    let id = addDirectory(Directory(parent: parent, name: name, depth: self[parent].depth + 1))
    self[parent].children[name] = .directory(id)
    changes.append(.makeDirectory(id))
    return id
  }
}
