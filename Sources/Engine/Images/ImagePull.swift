import Core
import OCI

/// One pull: documents first, then all missing layers at once, committed from the lowest up, then the record.
struct ImagePull: Sendable {
  let service: ImageService
  let source: any RegistrySource
  let reference: ImageReference
  let credentials: RegistryCredentials?
  let progress: PullProgress
  /// Compressed layers stay.
  let keepsBlobs: Bool

  init(
    service: ImageService, source: any RegistrySource, reference: ImageReference, credentials: RegistryCredentials?, progress: PullProgress,
    keepsBlobs: Bool? = nil
  ) {
    self.service = service
    self.source = source
    self.reference = reference
    self.credentials = credentials
    self.progress = progress
    self.keepsBlobs = keepsBlobs ?? service.keepsBlobs
  }

  /// What an image is, before any layer.
  struct Documents: Sendable {
    /// What the name points at: index or manifest.
    let target: Digest
    let manifestDigest: Digest
    let manifest: Manifest
    /// The config's digest; of an artifact the manifest's, since artifacts share an empty config.
    let id: Digest
    let user: String
    let layers: [LayerDescription]
    /// Where it is an artifact: what it is, and where its layer comes from.
    var artifact: (type: String, layer: ArtifactLayer)?
    /// The policy's.
    let approval: ImageApproval
    /// To be kept: index, manifest, config.
    let contents: [Digest: [UInt8]]
  }

  /// What the reference leads to.
  private struct Resolved {
    let approval: ImageApproval
    let digest: Digest
    let manifest: Manifest
    var contents: [Digest: [UInt8]]
  }

  func run() async throws -> ImageRecord {
    let documents = try await documents(reusing: true)
    let layers = layerPull(documents)
    // Neither need be durable before the image is.
    async let lease: Void = takeLease(of: layers)
    async let contents: Void = keep(documents)
    let committed = try await layers.run()
    try await lease
    try await contents
    let record = ImageRecord(
      id: documents.id, target: documents.target, manifest: documents.manifestDigest, layers: committed.map(\.id),
      size: committed.reduce(0) { $0 + $1.usage.bytes }, user: documents.user,
      blobs: documents.manifest.layers.map(\.digest), artifactType: documents.artifact?.type)
    let added = try await service.index.add(record, named: reference, documents.approval)
    // The blobs of an artifact's files were only wanted for its layer.
    if documents.artifact != nil { service.garbage.request() }
    return added
  }

  /// The way of its layers from here on.
  func layerPull(_ documents: Documents) -> LayerPull {
    guard let artifact = documents.artifact else {
      progress.begin(.init(reference: "\(reference)", manifest: documents.manifestDigest), documents.layers.map(\.descriptor))
      return LayerPull(pull: self, layers: documents.layers)
    }
    // Its blobs are here, and were what there is to tell.
    let pull = ImagePull(
      service: service, source: artifact.layer, reference: reference, credentials: credentials, progress: PullProgress(),
      keepsBlobs: false)
    pull.progress.begin(.init(reference: "\(reference)", manifest: documents.manifestDigest), documents.layers.map(\.descriptor))
    return LayerPull(pull: pull, layers: documents.layers)
  }

  private func takeLease(of layers: LayerPull) async throws {
    if !layers.isComplete { try await service.leases.take(reference, layers.candidates, layers.layers.map(\.descriptor.digest)) }
  }

  /// - Parameter reusing: an artifact that is here is not fetched again.
  func documents(reusing: Bool = false) async throws -> Documents {
    var resolved = try await traced("image.resolve") { try await resolve() }
    let manifest = resolved.manifest
    if let artifact = Artifact(manifest) { return try await documents(of: artifact, resolved, reusing) }
    let config = try await traced("image.config", ["berth.blob.digest": "\(manifest.config.digest)"]) {
      try await fetchConfig(manifest.config, &resolved.contents)
    }
    let diffIDs = try asFault { try config.diffIDs(for: manifest) }
    return Documents(
      target: resolved.approval.descriptor.digest, manifestDigest: resolved.digest, manifest: manifest, id: manifest.config.digest,
      user: config.config.user,
      layers: zip(manifest.layers, diffIDs).map { LayerDescription(descriptor: $0, diffID: $1) }, approval: resolved.approval,
      contents: resolved.contents)
  }

  /// Durable on return.
  func keep(_ documents: Documents) async throws {
    try await withThrowingTaskGroup { group in
      for (digest, bytes) in documents.contents { group.addTask { try await service.content.write(bytes, as: digest) } }
      try await group.waitForAll()
    }
  }

  private func documents(of artifact: Artifact, _ resolved: Resolved, _ reusing: Bool) async throws -> Documents {
    guard let packer = service.packer else {
      throw Fault(.unimplemented, "manifest \(resolved.digest): it is no image but \(artifact.type)")
    }
    progress.begin(.init(reference: "\(reference)", manifest: resolved.digest), artifact.blobs)
    let layer: ArtifactLayer
    if reusing, let known = service.index.image(resolved.digest)?.layers.first,
      service.layers.find(known.digest, chainID: known.digest) != nil
    {
      layer = ArtifactLayer(known: known.digest, packer, service.content, base: source)
      for number in artifact.blobs.indices { progress.set(number, .present) }
    } else {
      let files = try artifact.files()
      try await fetch(artifact.blobs)
      layer = try await ArtifactLayer(files, packer, service.content, base: source)
    }
    return Documents(
      target: resolved.approval.descriptor.digest, manifestDigest: resolved.digest, manifest: resolved.manifest, id: resolved.digest,
      user: "", layers: [layer.description] + artifact.directories, artifact: (artifact.type, layer), approval: resolved.approval,
      contents: resolved.contents)
  }

  /// An artifact's files, into the content store.
  private func fetch(_ blobs: [Descriptor]) async throws {
    try await withThrowingTaskGroup { group in
      for (number, blob) in blobs.enumerated() {
        group.addTask {
          if service.content.size(blob.digest) == blob.size { return progress.set(number, .present) }
          try await stage("blob \(blob.digest)") { try await traced("image.blob", .blob(blob)) { try await keep(blob, number) } }
        }
      }
      try await group.waitForAll()
    }
  }

  /// Makes a blob, which the progress knows as `number`, be in the content store.
  func keep(_ blob: Descriptor, _ number: Int) async throws {
    try await service.content.fetch(blob, in: service.downloads, { progress.received(number, $0) }) {
      progress.set(number, .downloading)
      let stream = try await source.blob(blob, of: reference, credentials: credentials)
      progress.began(number, stream)
      return stream
    }
    progress.set(number, .done)
  }

  /// Follows an index to the manifest for this platform.
  private func resolve() async throws -> Resolved {
    let document = try await stage("manifest") {
      try await traced("image.manifest") { try await source.manifest(reference, credentials: credentials) }
    }
    let described = Descriptor(mediaType: document.mediaType, digest: document.digest, size: Int64(document.bytes.count))
    let approval = try await traced("image.policy", ["oci.manifest.digest": "\(document.digest)"]) {
      try await service.admission.admit("\(reference)", described)
    }
    switch try parse(document) {
    case .manifest(let manifest):
      return Resolved(approval: approval, digest: document.digest, manifest: manifest, contents: [document.digest: document.bytes])
    case .index(let index):
      let entry: Descriptor
      do { entry = try index.entry(for: service.platform) } catch { throw Fault(.notFound, "manifest \(document.digest): \(error)") }
      let named = ImageReference(domain: reference.domain, path: reference.path, tag: nil, digest: entry.digest)
      let inner = try await stage("manifest \(entry.digest)") {
        try await traced("image.manifest", ["oci.manifest.digest": "\(entry.digest)"]) {
          try await source.manifest(named, credentials: credentials)
        }
      }
      guard case .manifest(let manifest) = try parse(inner) else {
        throw Fault(.invalidArgument, "manifest \(entry.digest): an index inside an index is not an image")
      }
      return Resolved(
        approval: approval, digest: inner.digest, manifest: manifest,
        contents: [document.digest: document.bytes, inner.digest: inner.bytes])
    }
  }

  private func parse(_ document: ManifestDocument) throws -> ImageDocument {
    try stage("manifest \(document.digest)") {
      try asFault { try ImageDocument.parse(document.bytes, mediaType: document.mediaType) }
    }
  }

  private static let configLimit: Int64 = 8 << 20

  private func fetchConfig(_ descriptor: Descriptor, _ contents: inout [Digest: [UInt8]]) async throws -> ImageConfig {
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
      contents[descriptor.digest] = bytes
      return config
    }
  }
}

/// Errors of the vocabulary as INVALID_ARGUMENT: the image is at fault.
func asFault<T>(_ body: () throws -> T) throws(Fault) -> T {
  do { return try body() } catch let fault as Fault { throw fault } catch { throw Fault(.invalidArgument, "\(error)", cause: error) }
}
