import Core
import OCI

/// One pull: documents first, then all missing layers at once, committed from the lowest up, then the record.
struct ImagePull: Sendable {
  let service: ImageService
  let source: any RegistrySource
  let reference: ImageReference
  let credentials: RegistryCredentials?
  let progress: PullProgress

  /// What an image is, before any layer.
  struct Documents: Sendable {
    /// What the name points at: index or manifest.
    let target: Digest
    let manifestDigest: Digest
    let manifest: Manifest
    let config: ImageConfig
    let layers: [LayerDescription]
    /// The policy's.
    let approval: ImageApproval
  }

  func run() async throws -> ImageRecord {
    let documents = try await documents()
    let layers = LayerPull(pull: self, layers: documents.layers)
    progress.begin(
      .init(reference: "\(reference)", manifest: documents.manifestDigest), documents.layers.map(\.descriptor))
    async let lease: Void = takeLease(of: layers)
    let committed = try await layers.run()
    try await lease
    let record = ImageRecord(
      id: documents.manifest.config.digest, target: documents.target, manifest: documents.manifestDigest, layers: committed.map(\.id),
      size: committed.reduce(0) { $0 + $1.usage.bytes }, user: documents.config.config.user,
      blobs: documents.layers.map(\.descriptor.digest))
    let added = try service.index.add(record, named: reference)
    try service.index.approve(added.id, documents.approval)
    return added
  }

  /// Beside the transfer: it need not be durable before the first layer is.
  private func takeLease(of layers: LayerPull) async throws {
    if !layers.isComplete { try await service.leases.take(reference, layers.candidates, layers.layers.map(\.descriptor.digest)) }
  }

  func documents() async throws -> Documents {
    let (approval, manifestDigest, manifest) = try await resolve()
    let config = try await fetchConfig(manifest.config)
    let diffIDs = try asFault { try config.diffIDs(for: manifest) }
    return Documents(
      target: approval.descriptor.digest, manifestDigest: manifestDigest, manifest: manifest, config: config,
      layers: zip(manifest.layers, diffIDs).map { LayerDescription(descriptor: $0, diffID: $1) }, approval: approval)
  }

  /// Follows an index to the manifest for this platform; both are kept.
  private func resolve() async throws -> (approval: ImageApproval, manifestDigest: Digest, manifest: Manifest) {
    let document = try await stage("manifest") { try await source.manifest(reference, credentials: credentials) }
    let described = Descriptor(mediaType: document.mediaType, digest: document.digest, size: Int64(document.bytes.count))
    let approval = try await service.admission.admit("\(reference)", described)
    switch try await keep(document) {
    case .manifest(let manifest): return (approval, document.digest, manifest)
    case .index(let index):
      let entry: Descriptor
      do { entry = try index.entry(for: service.platform) } catch { throw Fault(.notFound, "manifest \(document.digest): \(error)") }
      let named = ImageReference(domain: reference.domain, path: reference.path, tag: nil, digest: entry.digest)
      let inner = try await stage("manifest \(entry.digest)") { try await source.manifest(named, credentials: credentials) }
      guard case .manifest(let manifest) = try await keep(inner) else {
        throw Fault(.invalidArgument, "manifest \(entry.digest): an index inside an index is not an image")
      }
      return (approval, inner.digest, manifest)
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
