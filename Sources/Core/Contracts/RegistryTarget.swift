package import OCI

/// The push side of an OCI registry (distribution specification 1.1, "Push").
package protocol RegistryTarget: Sendable {
  /// Nothing is sent yet. FAILED_PRECONDITION where `hosts.toml` allows no host to be pushed to.
  /// - Parameter sources: repositories of the same registry that blobs are to be mounted from.
  func push(to reference: ImageReference, credentials: RegistryCredentials?, mounting sources: [String]) throws -> any RegistryPush
}

/// Uploads into one repository. Every call may be repeated.
package protocol RegistryPush: Sendable {
  func hasBlob(_ digest: Digest) async throws -> Bool
  /// Makes a blob of another repository of the same registry one of this repository too; false where the registry does not do that, or has none.
  func mount(_ digest: Digest, from repository: String) async throws -> Bool
  /// Broken connections are resumed inside.
  /// - Parameters:
  ///   - progress: bytes sent so far; goes back where the registry lost some.
  ///   - open: the blob from a position on; asked again for every connection.
  func upload(
    _ descriptor: Descriptor, progress: @escaping @Sendable (Int64) -> Void,
    open: @escaping @Sendable (Int64) async throws -> any BlobStream
  ) async throws
  /// Whether `name`, a tag or a digest, leads to `digest` there already.
  func hasManifest(_ digest: Digest, at name: String) async throws -> Bool
  /// All that the document names must be there before it. One with a subject is found among the referrers of that afterwards, whatever the registry
  /// knows of referrers; FAILED_PRECONDITION where it is stored, but what stands in the place of their list is none.
  /// - Parameter name: tag or digest.
  func put(_ document: ManifestDocument, at name: String) async throws
  /// The same for one that is there already: a push may have ended between the two. Nothing where it has no subject.
  func list(_ document: ManifestDocument) async throws
}
