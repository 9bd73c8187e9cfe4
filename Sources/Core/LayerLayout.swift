import OCI

/// Where committed layers are on disk: what the layer store writes and the snapshotter mounts.
package enum LayerLayout {
  /// All layers, below the daemon's root.
  package static func directory(_ root: String) -> String { "\(root)/layers" }

  /// One committed layer: its files, its manifest and its record.
  package static func directory(_ root: String, _ id: LayerID) -> String { "\(directory(root))/\(name(id))" }

  /// The layer's root directory, as overlay takes it.
  package static func files(_ root: String, _ id: LayerID) -> String { directory(root, id) + "/fs" }

  /// Exists where the layer's archive itself describes `/`: only then do mode and owner of ``files(_:_:)`` mean anything.
  package static func rootMarker(_ root: String, _ id: LayerID) -> String { directory(root, id) + "/root" }

  /// Exists where what the layer hides is said in a way that overlayfs does not understand, see ``LayerMarks``.
  package static func foreignMarker(_ root: String, _ id: LayerID) -> String { "\(directory(root, id))/\(foreignMarker)" }

  package static let foreignMarker = "foreign"

  /// `sha256-<hex>`.
  package static func name(_ id: LayerID) -> String { "\(id.digest.algorithm.rawValue)-\(id.digest.hex)" }

  /// The inverse of ``name(_:)``; `nil` for any other name.
  package static func id(_ name: String) -> LayerID? {
    guard let dash = name.firstIndex(of: "-") else { return nil }
    return Digest("\(name[..<dash]):\(name[name.index(after: dash)...])").map(LayerID.init)
  }
}
