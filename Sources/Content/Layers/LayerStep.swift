import Core
import Linux

/// What one entry of an archive asks of the tree, names checked, whiteouts recognised. Kept until commit, to be taken again there.
struct LayerStep: Sendable {
  enum Action: Sendable {
    case directory(Metadata)
    /// Anything else that was extracted.
    case item(LayerTree.ItemID)
    case hardLink(to: [RawName])
    case whiteout
    case opaque
  }

  /// Components of the path; for `opaque` of the directory itself. Empty for the root.
  let path: [RawName]
  let action: Action
}

/// Checks of names, before anything is done with them.
enum EntryNames {
  /// The components of a path in an archive: a leading `/` and every `.` dropped, `..` refused.
  static func check(_ path: RawName, _ limits: ExtractionLimits) throws(Fault) -> [RawName] {
    guard path.bytes.count <= limits.pathLength + 1 else {
      throw Fault(.invalidArgument, "a path of \(path.bytes.count) bytes, at most \(limits.pathLength) are allowed")
    }
    let components = path.components
    guard components.count <= limits.depth else {
      throw Fault(.invalidArgument, "\(components.count) directories deep, at most \(limits.depth) are allowed")
    }
    for name in components {
      guard name != ".." else { throw Fault(.invalidArgument, "\"..\" in a path leads out of the layer") }
      guard name.bytes.count <= limits.nameLength else {
        throw Fault(.invalidArgument, "a name of \(name.bytes.count) bytes, at most \(limits.nameLength) are allowed")
      }
    }
    return components
  }
}
