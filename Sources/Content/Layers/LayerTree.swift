import Core
import Linux

/// What a layer holds, as a value without any I/O: which name is a directory, an item, a whiteout. It decides what every entry of an
/// archive means, and says what has to change on disk.
///
/// Used twice. While bytes stream in there is no view of the layers below (``LowerView``): a directory on the way that the layer itself
/// lacks is taken to be a directory below, and remembered as open. At commit the same steps are taken again with the real view: symlinks
/// below are followed, link targets below are copied up, and the result is what applying the layers one after the other gives.
struct LayerTree: Sendable {
  typealias DirectoryID = Int
  typealias ItemID = Int

  enum Node: Sendable, Hashable {
    case directory(DirectoryID)
    case item(ItemID)
    /// Hides the name of the layers below.
    case whiteout
  }

  struct Directory: Sendable {
    /// Itself, for the root.
    let parent: DirectoryID
    let name: RawName
    /// Directories above it.
    let depth: Int
    var children: [RawName: Node] = [:]
    /// Nil where no entry describes it: it is implied by what is in it.
    var metadata: Metadata?
    /// Shows nothing of the layers below.
    var isOpaque = false
    /// Implied where a directory of the layers below could be seen, whose metadata it takes.
    var inherits = false
  }

  private(set) var directories: [Directory]
  private(set) var items: [Item] = []

  static let root: DirectoryID = 0
  /// Also of what symlinks lead to: trees are walked recursively.
  static let maximumDepth = 256

  /// - Parameter items: those that steps already refer to.
  init(items: [Item] = []) {
    self.items = items
    directories = [Directory(parent: Self.root, name: "", depth: 0)]
  }

  /// In place: a copy would share its children, and the next change would copy all of them.
  subscript(_ id: DirectoryID) -> Directory {
    _read { yield directories[id] }
    _modify { yield &directories[id] }
  }

  /// Hard links were left out, since only the layers below can have their targets.
  var hasOpenLinks = false

  /// Directories that were taken to be below, parents first: they may be described, or gone, by now. Empty in a layer that may stand on any.
  private(set) var assumed: [DirectoryID] = []

  /// The directory that a path led to last, while it still does: most entries are in the directory of the one before.
  var recent: (path: RawName, id: DirectoryID)?

  func item(_ id: ItemID) -> Item { items[id] }

  mutating func update(_ id: ItemID, _ item: Item) { items[id] = item }

  mutating func add(_ item: Item) -> ItemID {
    items.append(item)
    return items.count - 1
  }

  mutating func addDirectory(_ directory: Directory) -> DirectoryID {
    directories.append(directory)
    return directories.count - 1
  }

  mutating func inherit(_ id: DirectoryID) {
    directories[id].inherits = true
    assumed.append(id)
  }

  /// Calls `body` with every directory that is still in the tree, parents first.
  func forEachDirectory(_ body: (DirectoryID, Directory) throws -> Void) rethrows {
    var todo = [Self.root]
    while let id = todo.popLast() {
      try body(id, directories[id])
      for case .directory(let child) in directories[id].children.values { todo.append(child) }
    }
  }

  /// Whiteouts of a layer that depends on none below hide nothing: they are not made, nor remembered.
  var withoutWhiteouts: LayerTree {
    var tree = self
    for id in directories.indices where directories[id].children.values.contains(.whiteout) {
      tree.directories[id].children = directories[id].children.filter { $0.value != .whiteout }
    }
    return tree
  }

  /// Where a directory is below the layer's root, without symlinks; empty for the root.
  func components(_ id: DirectoryID) -> [RawName] {
    var result: [RawName] = []
    var current = id
    while current != Self.root {
      result.append(directories[current].name)
      current = directories[current].parent
    }
    return result.reversed()
  }

  func path(_ id: DirectoryID) -> RawName { RawName.joined(components(id)) }

  /// Whether `id` shows the layers below: neither it nor anything above it is opaque.
  func showsLower(_ id: DirectoryID) -> Bool {
    var current = id
    while true {
      if directories[current].isOpaque { return false }
      if current == Self.root { return true }
      current = directories[current].parent
    }
  }
}

/// A change on disk that a step asks for, in order. Directories are named by ID: they never move.
enum TreeChange: Sendable, Equatable {
  case makeDirectory(LayerTree.DirectoryID)
  /// The item that had this name is no longer there.
  case dropItem(LayerTree.ItemID, in: LayerTree.DirectoryID, RawName)
  /// Empty by then.
  case removeDirectory(in: LayerTree.DirectoryID, RawName)
}

/// What can be seen in the layers below, by paths without symlinks.
protocol LowerView {
  /// What `directory` has under `name`; `nil` where there is nothing, or no such directory.
  func look(up name: RawName, in directory: [RawName]) throws -> LowerEntry?
  /// Names in a directory.
  func names(in directory: [RawName]) throws -> [RawName]
}

enum LowerEntry: Sendable, Hashable {
  case directory
  case symlink(RawName)
  /// Anything else.
  case other
}

extension RawName {
  static func joined(_ components: some Collection<RawName>) -> RawName {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(components.reduce(0) { $0 + $1.bytes.count + 1 })
    for name in components {
      if !bytes.isEmpty { bytes.append(0x2f) }
      bytes += name.bytes
    }
    return RawName(bytes)
  }

  func appending(_ name: RawName) -> RawName { bytes.isEmpty ? name : .joined([self, name]) }

  /// Components of a path, empty ones and `.` left out.
  var components: [RawName] { bytes.split(separator: 0x2f).map { RawName($0) }.filter { $0 != "." } }

  var isAbsolute: Bool { bytes.first == 0x2f }
}
