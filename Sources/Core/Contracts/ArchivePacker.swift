package import OCI

/// A file of an archive to be written.
package struct ArchiveMember: Sendable, Hashable {
  package enum Content: Sendable, Hashable {
    case bytes([UInt8])
    /// A blob of the content store.
    case blob(Digest, size: Int64)
  }

  package var name: String
  package var content: Content

  package init(name: String, content: Content) {
    self.name = name
    self.content = content
  }
}

/// Writes archives of blobs.
package protocol ArchivePacker: Sendable {
  /// The archive's bytes in order, a piece at a time. The same members give the same bytes. DATA_LOSS where a blob does not match its digest.
  func pack(_ members: [ArchiveMember], to sink: ([UInt8]) async throws -> Void) async throws
}
