package import OCI

/// A registry that can be asked what it has about an image (OCI distribution specification, "Listing referrers").
package protocol RegistryReferrers: Sendable {
  /// What `reference` leads to, and the manifests that name that as their subject.
  /// - Parameter type: only artifacts of this type; `nil` for all.
  func referrers(
    of reference: ImageReference, type: String?, credentials: RegistryCredentials?
  ) async throws -> (subject: Digest, referrers: [Descriptor])
}
