package import Core
package import OCI

/// An image that is whole: its documents are in the content store, its layers are committed.
package struct ImageRecord: Sendable, Codable, Hashable {
  /// Config digest: the image's ID.
  package let id: Digest
  /// What tags and repository digests point at: the index where there was one, else the manifest.
  package var target: Digest
  package var manifest: Digest
  /// `domain/path:tag`, canonical.
  package var tags: [String]
  /// `domain/path@digest`, canonical.
  package var digests: [String]
  /// Lowest first.
  package var layers: [LayerID]
  /// What the layers hold on disk, without what is shared counted out.
  package var size: Int64
  /// `User` of the image's config.
  package var user: String
  package var pinned: Bool
  /// Of the image specs that it was pulled by, the latest of each name.
  package var annotations: [String: String]?
  /// Its layers' blobs, kept where the daemon keeps any; `nil` in records of earlier versions.
  package var blobs: [Digest]?
  /// Of an OCI artifact: what it is. Nothing can be run of it.
  package var artifactType: String?
  /// Of the policy, the latest last.
  package var approvals: [ImageApproval]?

  package init(
    id: Digest, target: Digest, manifest: Digest, layers: [LayerID], size: Int64, user: String, tags: [String] = [],
    digests: [String] = [], pinned: Bool = false, blobs: [Digest]? = nil, artifactType: String? = nil
  ) {
    self.id = id
    self.target = target
    self.manifest = manifest
    self.layers = layers
    self.size = size
    self.user = user
    self.tags = tags
    self.digests = digests
    self.pinned = pinned
    self.blobs = blobs
    self.artifactType = artifactType
  }
}
