import Core
import Linux

/// What one entry of an archive asks of the tree, names checked, whiteouts recognised. Kept until commit, to be taken again there.
struct LayerStep: Sendable {
  enum Action: Sendable {
    case directory(Metadata)
    /// Anything else that was extracted.
    case item(LayerTree.ItemID)
    case hardLink(to: EntryPath)
    case whiteout
    case opaque
  }

  /// For `opaque` that of the directory itself.
  let path: EntryPath
  let action: Action
}

/// Where an entry is to be: names without `.`, `..` and `/`, checked.
struct EntryPath: Sendable, Hashable {
  /// The directory, from the layer's root, without slashes before, behind or in a row; empty for the root.
  let parent: RawName
  /// Nil for the root itself.
  let name: RawName?

  /// The whole path; empty for the root.
  var joined: RawName { name.map { parent.appending($0) } ?? parent }
}

/// Checks of names, before anything is done with them.
struct EntryNames {
  private let limits: ExtractionLimits
  /// Of the path last checked: most entries are in the directory of the one before, and need no copy of its name.
  private var lastParent: RawName = ""

  init(_ limits: ExtractionLimits) { self.limits = limits }

  /// A path of an archive: a leading `/` and every `.` dropped, `..` refused.
  mutating func check(_ path: RawName) throws(Fault) -> EntryPath {
    guard path.bytes.count <= limits.pathLength + 1 else {
      throw Fault(.invalidArgument, "a path of \(path.bytes.count) bytes, at most \(limits.pathLength) are allowed")
    }
    let shape = path.bytes.withUnsafeBytes { Shape($0) }
    guard shape.isTidy else { return try check(RawName.joined(path.components)) }
    guard shape.depth <= limits.depth else {
      throw Fault(.invalidArgument, "\(shape.depth) directories deep, at most \(limits.depth) are allowed")
    }
    guard !shape.climbs else { throw Fault(.invalidArgument, "\"..\" in a path leads out of the layer") }
    guard shape.longest <= limits.nameLength else {
      throw Fault(.invalidArgument, "a name of \(shape.longest) bytes, at most \(limits.nameLength) are allowed")
    }
    guard shape.depth > 0 else { return EntryPath(parent: "", name: nil) }
    return EntryPath(
      parent: parent(path.bytes[shape.start..<max(shape.start, shape.name.lowerBound - 1)]), name: RawName(path.bytes[shape.name]))
  }

  private mutating func parent(_ bytes: ArraySlice<UInt8>) -> RawName {
    if !bytes.elementsEqual(lastParent.bytes) { lastParent = RawName(bytes) }
    return lastParent
  }

  /// What one pass over the bytes of a path finds.
  private struct Shape {
    /// Behind a leading `/` or `./`.
    let start: Int
    private(set) var depth = 0
    /// Bytes of the longest component.
    private(set) var longest = 0
    /// Where the last component is.
    private(set) var name = 0..<0
    private(set) var climbs = false
    /// There is nothing to leave out but at the start and at the end.
    private(set) var isTidy = true

    init(_ bytes: UnsafeRawBufferPointer) {
      start = bytes.first == 0x2f ? 1 : bytes.starts(with: [0x2e, 0x2f]) ? 2 : 0
      var first = start
      while first < bytes.count {
        let end = bytes[first...].firstIndex(of: 0x2f) ?? bytes.count
        take(first..<end, bytes)
        first = end + 1
      }
    }

    private mutating func take(_ range: Range<Int>, _ bytes: UnsafeRawBufferPointer) {
      let isDot = bytes[range.lowerBound] == 0x2e
      if range.isEmpty || range.count == 1 && isDot { return isTidy = false }
      climbs = climbs || range.count == 2 && isDot && bytes[range.lowerBound + 1] == 0x2e
      depth += 1
      longest = max(longest, range.count)
      name = range
    }
  }
}
