import Core
import Linux

/// Resolves a layer's open references against the layers below it.
enum FixUp {
  static func run(_ layer: StagedLayer, above paths: [String]) throws -> LayerTree { layer.tree }
}
