package import Core

/// What verifying an image found.
package struct ImageVerdict: Sendable {
  package let image: ImageRecord
  /// What is wrong with its documents.
  package internal(set) var findings: [String] = []
  /// Lowest first.
  package internal(set) var layers: [LayerVerdict] = []

  /// No difference anywhere, or none any more.
  package var isWhole: Bool { findings.isEmpty && layers.allSatisfy { $0.findings.isEmpty || $0.isRepaired } }
}

package struct LayerVerdict: Sendable {
  package let id: LayerID
  /// One line a difference.
  package let findings: [String]
  package internal(set) var isRepaired = false
  /// Why it could not be repaired.
  package internal(set) var failure = ""
}
