package import OCI

/// Small immutable documents by digest (manifests, indexes, configs; layers only where `keep_layer_blobs` says so).
/// A read never returns bytes that do not match their digest.
package protocol ContentStore: Sendable {
  func contains(_ digest: Digest) -> Bool
  /// Verified bytes. NOT_FOUND where there is no such blob, DATA_LOSS where it does not match its digest.
  func read(_ digest: Digest) throws -> [UInt8]
  /// Durable on return (file and directory synced). INVALID_ARGUMENT where `bytes` do not match `digest`. Writing what is there is a no-op.
  func write(_ bytes: [UInt8], as digest: Digest) async throws
  func list() throws -> [Digest]
  /// Removing what is not there succeeds.
  func remove(_ digest: Digest) throws
}

/// Bytes on their way from a registry or an archive, in order; `nil` ends them.
package protocol BlobStream: Sendable {
  func next() async throws -> [UInt8]?
  /// Says whether it waits for its turn rather than for bytes; does not keep the stream.
  var isQueued: @Sendable () -> Bool { get }
}

extension BlobStream {
  package var isQueued: @Sendable () -> Bool { { false } }
}

/// The cause of a fault of a blob stream: the source has another content by now. From the start it may be right.
package struct BlobChanged: Error { package init() {} }

/// Who asks a registry. Sent only to the host that it is for.
package struct RegistryCredentials: Sendable, Hashable {
  package var username = ""
  package var password = ""
  /// An OAuth2 refresh token for the token endpoint.
  package var identityToken = ""
  /// A bearer token sent to the registry as it is.
  package var registryToken = ""
  /// Where not empty, the only host these are sent to; otherwise the registry of the image's own name.
  package var serverAddress = ""

  package init() {}
}

/// A manifest or index as the registry gave it: `bytes` match `digest`.
package struct ManifestDocument: Sendable {
  package let digest: Digest
  package let mediaType: String
  package let bytes: [UInt8]

  package init(digest: Digest, mediaType: String, bytes: [UInt8]) {
    self.digest = digest
    self.mediaType = mediaType
    self.bytes = bytes
  }
}

/// The pull side of an OCI registry, mirrors and authentication included.
package protocol RegistrySource: Sendable {
  /// Resolves tag or digest of `reference`; verified where it names a digest. Works for an index, an image manifest, and (by digest) what an index names.
  func manifest(_ reference: ImageReference, credentials: RegistryCredentials?) async throws -> ManifestDocument
  /// The blob's bytes from the start; broken connections are resumed inside. The stream throws DATA_LOSS if length differs from `descriptor.size`;
  /// checking the digest is the reader's part. Dropping the stream ends the transfer.
  func blob(_ descriptor: Descriptor, of reference: ImageReference, credentials: RegistryCredentials?) async throws -> any BlobStream
}
