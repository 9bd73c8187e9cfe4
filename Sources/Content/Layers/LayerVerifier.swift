import Core
import Linux

/// Compares a layer's files with its manifest.
struct LayerVerifier: ~Copyable {
  private let root: ConfinedRoot

  init(root: String) throws { self.root = try ConfinedRoot(path: root) }

  /// One line per difference.
  func verify(_ manifest: LayerManifest) throws -> [String] {
    []
  }
}
