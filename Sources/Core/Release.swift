/// Which Berth this is.
package enum Release {
  /// Semantic version, without a leading `v`.
  package static let version = "0.1.0"
}
