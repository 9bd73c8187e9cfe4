/// A normalised image name: `domain/path[:tag][@digest]`.
package struct ImageReference: Hashable, Sendable {
  /// Host and port of the registry, `docker.io` for short names.
  package let domain: String
  /// Repository path, `library/…` for Docker Hub's short names.
  package let path: String
  package let tag: String?
  package let digest: Digest?

  package init(domain: String, path: String, tag: String?, digest: Digest?) {
    self.domain = domain
    self.path = path
    self.tag = tag
    self.digest = digest
  }
}
