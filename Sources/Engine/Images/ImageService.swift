package import Core
package import Logging
package import OCI
import Synchronization

/// Pulls, pushes, imports, exports, finds and removes images.
package final class ImageService: Sendable {
  package let index: ImageIndex
  let content: any BlobStore
  let layers: any LayerStore
  let registry: any RegistrySource
  package let admission: ImageAdmission
  let logger: Logger
  let platform: Platform
  /// Makes layers of artifacts; without it they are not taken.
  let packer: (any ArchivePacker)?
  /// Compressed layers stay in the content store (`keep_layer_blobs`).
  let keepsBlobs: Bool
  let pulls = Flights<PullKey, Nothing, ImageRecord>()
  /// One apply per diff ID at a time, whichever image asks.
  let layerLocks: KeyedLock<Digest>
  let downloads: Slots
  let garbage: GarbageCollector
  let leases: PullLeases
  package let running: RunningPulls
  /// Whose progress those see that join a pull.
  let leaders = Mutex<[PullKey: PullProgress]>([:])
  private let namespaces: ImageNamespaces
  private let others = Mutex<[String: ImageService]>([:])

  /// - Parameters:
  ///   - downloads: layers on their way at the same time, over all pulls.
  ///   - patience: a pull that brings nothing for so long ends; `nil` for never.
  ///   - afterPulls: called when none is under way any more.
  package init(
    namespaces: ImageNamespaces, content: any BlobStore, layers: any LayerStore, registry: any RegistrySource, garbage: GarbageCollector,
    leases: PullLeases, policy: any ImagePolicy = AnyImage(), recheck: ImageAdmission.Recheck = .changed, downloads: Int,
    patience: Duration? = nil, keepsBlobs: Bool = false,
    packer: (any ArchivePacker)? = nil, platform: Platform = .host,
    metrics: Metrics = Metrics(), logger: Logger, afterPulls: @escaping @Sendable () -> Void = {}
  ) {
    self.namespaces = namespaces
    index = namespaces.main
    self.content = content
    self.layers = layers
    self.registry = registry
    admission = ImageAdmission(policy: policy, recheck: recheck, index: namespaces.main, content: content, logger: logger)
    layerLocks = KeyedLock()
    self.garbage = garbage
    self.leases = leases
    running = RunningPulls(patience: patience, metrics: metrics, logger: logger, afterwards: afterPulls)
    self.downloads = Slots(downloads)
    self.platform = platform
    self.keepsBlobs = keepsBlobs
    self.packer = packer
    self.logger = logger
  }

  /// The same for the images of another namespace: what is limited or shared is so over all.
  private init(_ base: ImageService, _ index: ImageIndex) {
    namespaces = base.namespaces
    self.index = index
    (content, layers, registry, garbage, leases) = (base.content, base.layers, base.registry, base.garbage, base.leases)
    (layerLocks, downloads, running, packer) = (base.layerLocks, base.downloads, base.running, base.packer)
    (platform, keepsBlobs, logger) = (base.platform, base.keepsBlobs, base.logger)
    admission = base.admission.within(index)
  }

  /// For the images of that namespace. INVALID_ARGUMENT for what cannot be a name.
  package func within(_ namespace: String) throws(Fault) -> ImageService {
    let index = try namespaces.index(namespace)
    if index === self.index { return self }
    return others.withLock { others in
      if let known = others[namespace] { return known }
      let made = ImageService(self, index)
      others[namespace] = made
      return made
    }
  }

  /// Namespaces that have images, and how many.
  package var namespaceCounts: [(name: String, images: Int)] { namespaces.counts() }

  /// `nil` where there is none.
  package func find(_ image: String) throws -> ImageRecord? {
    guard !image.isEmpty else { throw Fault(.invalidArgument, "image: the name is empty") }
    return try index.find(image)
  }

  /// NOT_FOUND where there is none.
  func named(_ image: String) throws -> ImageRecord {
    guard let record = try find(image) else { throw Fault(.notFound, "image \"\(image.prefix(300))\": not found") }
    return record
  }

  package func config(of image: ImageRecord) throws -> ImageConfig {
    try stage("image \(image.id)") {
      if image.artifactType != nil { return ImageConfig() }
      return try ImageConfig.parse(content.read(image.id))
    }
  }

  /// Removes the image whatever it was named by, with all its names. Removing what is not there succeeds.
  package func remove(_ image: String) async throws {
    guard let record = try find(image) else { return await forget(image) }
    try await index.remove(record.id)
    logger.info("image removed", metadata: ["image": "\(record.id)", "names": "\(record.tags + record.digests)"])
    garbage.request()
  }

  /// What an unfinished pull of that name left.
  private func forget(_ image: String) async {
    guard let reference = try? ImageReference(parsing: image), await leases.drop(reference) else { return }
    garbage.request()
  }
}

/// Two pulls are the same only with the same credentials: each proves its own right to the manifest.
struct PullKey: Hashable, Sendable {
  let reference: ImageReference
  let credentials: RegistryCredentials?
}
