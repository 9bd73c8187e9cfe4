import Core
import Linux
import OCI

/// A layer that was applied in isolation, in a directory of its own: what it did there, and the steps that commit takes again where the
/// layers below matter.
struct StagedLayer: AppliedLayer {
  let diffID: Digest
  /// Holds `fs` and `kept`.
  let path: String
  let tree: LayerTree
  let steps: [LayerStep]

  /// Whether it may stand on any layers as it is.
  var isShared: Bool { !tree.dependsOnLower }
}

extension LayerTree {
  /// Whether anything was taken for granted of the layers below: directories on the way, link targets, something to hide.
  var dependsOnLower: Bool {
    if !assumed.isEmpty || hasOpenLinks || directories[Self.root].isOpaque { return true }
    return hasWhiteout(Self.root)
  }

  /// A whiteout below an opaque directory hides nothing.
  private func hasWhiteout(_ id: DirectoryID) -> Bool {
    if self[id].isOpaque { return false }
    return self[id].children.values.contains { node in
      switch node {
      case .whiteout: true
      case .item: false
      case .directory(let child): hasWhiteout(child)
      }
    }
  }
}
