import Core
import OCI

/// Where an image's documents and blobs are to be had: here, else in the registries that it was pulled from.
struct ImageOrigin: Sendable {
  let image: ImageRecord
  let content: any BlobStore
  let registry: any RegistrySource
  /// Sent only to the registry of the same domain.
  let credentials: (domain: String, RegistryCredentials)?
  let downloads: Slots

  /// Names under which a registry may have it.
  private var references: [ImageReference] { image.digests.compactMap { try? ImageReference(parsing: $0) } }

  func document(_ digest: Digest) async throws -> [UInt8] {
    if let bytes = try? content.read(digest) { return bytes }
    return try await ask("it is not here") { reference, credentials in
      let named = ImageReference(domain: reference.domain, path: reference.path, tag: nil, digest: digest)
      let document = try await registry.manifest(named, credentials: credentials)
      try await content.write(document.bytes, as: digest)
      return document.bytes
    }
  }

  /// Makes the blob be in the content store; `progress` hears of the bytes that are fetched for that.
  func fetch(_ descriptor: Descriptor, progress: @escaping @Sendable (Int) -> Void = { _ in }) async throws {
    if content.size(descriptor.digest) == descriptor.size { return }
    try await ask("its blob was not kept (images.keep_layer_blobs)") { reference, credentials in
      try await content.fetch(descriptor, in: downloads, progress) {
        try await registry.blob(descriptor, of: reference, credentials: credentials)
      }
    }
  }

  /// The first registry that has it; otherwise why not, of each.
  private func ask<T: Sendable>(_ why: String, _ body: (ImageReference, RegistryCredentials?) async throws -> T) async throws -> T {
    var failures: [Fault] = []
    for reference in references {
      do { return try await body(reference, credentials?.domain == reference.domain ? credentials?.1 : nil) } catch {
        let fault = Fault(error)
        if fault.code == .cancelled { throw fault }
        failures.append(fault)
      }
    }
    guard let last = failures.last else { throw Fault(.failedPrecondition, "\(why), and no registry is known to have it") }
    throw Fault(last.code, "\(why), and cannot be fetched again: " + failures.map(\.message).joined(separator: "; "), cause: last)
  }
}

extension BlobStore {
  /// Makes the blob be here: nothing is opened where it is, otherwise when it is its turn.
  func fetch(
    _ descriptor: Descriptor, in slots: Slots, _ progress: @Sendable (Int) -> Void, from open: @Sendable () async throws -> any BlobStream
  ) async throws {
    if size(descriptor.digest) == descriptor.size { return }
    try await slots.with { try await take(open(), as: descriptor, progress) }
  }

  /// All of a stream, durable on return.
  func take(_ stream: any BlobStream, as descriptor: Descriptor, _ progress: (Int) -> Void) async throws {
    let ingest = try await ingest(descriptor)
    do {
      while let piece = try await stream.next() {
        try Task.checkCancellation()
        progress(piece.count)
        try await ingest.write(piece)
      }
      try await ingest.finish()
    } catch {
      await ingest.abort()
      throw error
    }
  }
}
