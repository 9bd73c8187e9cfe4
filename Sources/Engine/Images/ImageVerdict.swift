package import Core
package import OCI

/// What verifying an image found.
package struct ImageVerdict: Sendable {
  package let image: ImageRecord
  /// What is wrong with its documents.
  package internal(set) var findings: [String] = []
  /// Lowest first.
  package internal(set) var layers: [LayerVerdict] = []
  /// Kept compressed layers (`keep_layer_blobs`) that are not as they should be, and not repaired.
  package internal(set) var blobs: [BlobVerdict] = []

  /// No difference anywhere, or none any more.
  package var isWhole: Bool { findings.isEmpty && blobs.isEmpty && layers.allSatisfy { $0.findings.isEmpty || $0.isRepaired } }
}

package struct BlobVerdict: Sendable {
  package let digest: Digest
  package let finding: String
  /// Why it could not be repaired; empty where nobody tried.
  package internal(set) var failure = ""

  /// For people.
  package var line: String { "kept blob \(digest): \(finding)" + (failure.isEmpty ? "" : ", repair: \(failure)") }
}

package struct LayerVerdict: Sendable {
  package let id: LayerID
  /// One line a difference.
  package let findings: [String]
  package internal(set) var isRepaired = false
  /// Why it could not be repaired.
  package internal(set) var failure = ""
}
