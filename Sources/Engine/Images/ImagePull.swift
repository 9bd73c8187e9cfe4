import Core
import OCI

/// One pull: documents first, then all missing layers at once, committed from the lowest up, then the record.
struct ImagePull: Sendable {
  let service: ImageService
  let source: any RegistrySource
  let reference: ImageReference
  let credentials: RegistryCredentials?
  let progress: PullProgress

  func run() async throws -> ImageRecord {
    let (target, manifestDigest, manifest) = try await resolve()
    let config = try await fetchConfig(manifest.config)
    let diffIDs = try asFault { try config.diffIDs(for: manifest) }
    let layers = zip(manifest.layers, diffIDs).map { LayerDescription(descriptor: $0, diffID: $1) }
    let committed = try await LayerPull(pull: self, layers: layers).run()
    let record = ImageRecord(
      id: manifest.config.digest, target: target, manifest: manifestDigest, layers: committed.map(\.id),
      size: committed.reduce(0) { $0 + $1.usage.bytes }, user: config.config.user)
    return try service.index.add(record, named: reference)
  }

  /// Follows an index to the manifest for this platform; both are kept.
  private func resolve() async throws -> (target: Digest, manifestDigest: Digest, manifest: Manifest) {
    let document = try await stage("manifest") { try await source.manifest(reference, credentials: credentials) }
    switch try await keep(document) {
    case .manifest(let manifest): return (document.digest, document.digest, manifest)
    case .index(let index):
      let entry = try asFault { try index.entry(for: service.platform) }
      let named = ImageReference(domain: reference.domain, path: reference.path, tag: nil, digest: entry.digest)
      let inner = try await stage("manifest \(entry.digest)") { try await source.manifest(named, credentials: credentials) }
      guard case .manifest(let manifest) = try await keep(inner) else {
        throw Fault(.invalidArgument, "manifest \(entry.digest): an index inside an index is not an image")
      }
      return (document.digest, inner.digest, manifest)
    }
  }

  private func keep(_ document: ManifestDocument) async throws -> ImageDocument {
    let parsed = try stage("manifest \(document.digest)") {
      try asFault { try ImageDocument.parse(document.bytes, mediaType: document.mediaType) }
    }
    try await service.content.write(document.bytes, as: document.digest)
    return parsed
  }

  private static let configLimit: Int64 = 8 << 20

  private func fetchConfig(_ descriptor: Descriptor) async throws -> ImageConfig {
    try await stage("config \(descriptor.digest)") {
      if let bytes = try? service.content.read(descriptor.digest) { return try asFault { try ImageConfig.parse(bytes) } }
      guard descriptor.size <= Self.configLimit else {
        throw Fault(.invalidArgument, "\(descriptor.size) bytes is more than the \(Self.configLimit) a config may have")
      }
      let stream = try await source.blob(descriptor, of: reference, credentials: credentials)
      var bytes: [UInt8] = []
      while let chunk = try await stream.next() { bytes += chunk }
      guard descriptor.digest.matches(bytes) else {
        throw Fault(.dataLoss, "digest mismatch: its \(bytes.count) bytes are \(Digest.sha256(of: bytes))")
      }
      let config = try asFault { try ImageConfig.parse(bytes) }
      try await service.content.write(bytes, as: descriptor.digest)
      return config
    }
  }
}

/// Errors of the vocabulary as INVALID_ARGUMENT: the image is at fault.
func asFault<T>(_ body: () throws -> T) throws(Fault) -> T {
  do { return try body() } catch let fault as Fault { throw fault } catch { throw Fault(.invalidArgument, "\(error)", cause: error) }
}
