import OCI

/// Which images the kubelet is told to keep: names as the operator wrote them, `*` standing for any text.
package struct PinnedImages: Sendable, Hashable {
  private let patterns: [String]

  /// A pattern without a star is a name like any other: `busybox` is docker.io's, with the tag latest.
  package init(_ patterns: [String]) {
    self.patterns = patterns.map { pattern in
      guard !pattern.contains("*"), Digest(pattern) == nil, let reference = try? ImageReference(parsing: pattern) else { return pattern }
      return reference.digest.map { reference.repoDigest(with: $0) } ?? reference.repoTag ?? pattern
    }
  }

  package func contains(_ image: ImageRecord) -> Bool {
    guard !patterns.isEmpty else { return false }
    let names = image.tags + image.digests + [image.id.description]
    return patterns.contains { pattern in names.contains { Self.match(Array(pattern.utf8)[...], Array($0.utf8)[...]) } }
  }

  /// The usual way back to the last star, so that no pattern takes long.
  private static func match(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
    var (pattern, text) = (pattern, text)
    var retry: (pattern: ArraySlice<UInt8>, text: ArraySlice<UInt8>)?
    while true {
      if pattern.first == UInt8(ascii: "*") {
        pattern = pattern.dropFirst()
        retry = (pattern, text)
      } else if let first = text.first, first == pattern.first {
        (pattern, text) = (pattern.dropFirst(), text.dropFirst())
      } else if pattern.isEmpty, text.isEmpty {
        return true
      } else {
        guard let last = retry, !last.text.isEmpty else { return false }
        retry = (last.pattern, last.text.dropFirst())
        (pattern, text) = (last.pattern, last.text.dropFirst())
      }
    }
  }
}
