import OCI

extension [Platform: String] {
  /// The runtime for images of `platform`: that of its very variant, else of its architecture.
  func runtime(for platform: Platform) -> String? {
    self[platform] ?? self[Platform(os: platform.os, architecture: platform.architecture)]
  }
}
