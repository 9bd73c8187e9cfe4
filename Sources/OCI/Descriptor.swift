/// Points at content: its type, digest and size (OCI image spec, descriptor.md).
package struct Descriptor: Hashable, Sendable, Codable {
  package var mediaType: String
  package var digest: Digest
  /// Bytes.
  package var size: Int64
  package var urls: [String]?
  package var annotations: [String: String]?
  package var platform: Platform?

  package init(
    mediaType: String, digest: Digest, size: Int64, urls: [String]? = nil, annotations: [String: String]? = nil,
    platform: Platform? = nil
  ) {
    self.mediaType = mediaType
    self.digest = digest
    self.size = size
    self.urls = urls
    self.annotations = annotations
    self.platform = platform
  }
}

/// What an image runs on (OCI image spec, image-index.md "platform").
package struct Platform: Hashable, Sendable, Codable {
  package var os: String
  package var architecture: String
  package var variant: String?

  package init(os: String, architecture: String, variant: String? = nil) {
    self.os = os
    self.architecture = architecture
    self.variant = variant
  }
}
