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

  /// `docker.io/library/busybox`.
  package var repository: String { "\(domain)/\(path)" }

  /// `docker.io/library/busybox:latest`, `nil` for a reference by digest only.
  package var repoTag: String? { tag.map { "\(repository):\($0)" } }

  /// `docker.io/library/busybox@sha256:…`.
  package func repoDigest(with digest: Digest) -> String { "\(repository)@\(digest)" }

  /// What a registry is asked for: the digest where there is one, else the tag.
  package var manifestName: String { digest?.description ?? tag ?? ImageReference.defaultTag }
}

extension ImageReference: CustomStringConvertible {
  /// The canonical form, `docker.io/library/busybox:latest`.
  package var description: String {
    repository + (tag.map { ":" + $0 } ?? "") + (digest.map { "@\($0)" } ?? "")
  }
}

extension ImageReference: Codable {
  package init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    self = try ImageReference(parsing: text)
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
