package import OCI

/// Blobs too large for memory beside the small documents: compressed layers, kept (`keep_layer_blobs`) or on their way out.
package protocol BlobStore: ContentStore {
  /// Bytes on disk; `nil` where there is no such blob. Nothing is read.
  func size(_ digest: Digest) -> Int64?
  /// Takes a blob that comes in pieces.
  func ingest(_ descriptor: Descriptor) async throws -> any BlobIngest
  /// The blob from byte `offset` on. NOT_FOUND where there is none. Read from its start, it ends with DATA_LOSS where it does not match its digest.
  func open(_ digest: Digest, from offset: Int64) async throws -> any BlobStream
}

/// A blob on its way into the store. Use: `write` all pieces in order, then `finish`; or `abort` at any time, which leaves nothing behind.
package protocol BlobIngest: Sendable {
  func write(_ bytes: [UInt8]) async throws
  /// Durable on return. DATA_LOSS where length or digest are not the descriptor's; nothing is left then.
  func finish() async throws
  func abort() async
}
