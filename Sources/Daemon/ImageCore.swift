import Content
import Core
import Engine
import Logging
import Registry
import Settings

/// Images with all that they are made of and kept by.
struct ImageCore {
  let namespaces: ImageNamespaces
  let garbage: GarbageCollector
  let images: ImageService
  let content: any BlobStore
  let layers: any LayerStore

  /// Loads what is stored; an image of which something is missing is forgotten.
  init(
    _ settings: Configuration, stores: Stores, ledger: Ledger, registry: any RegistrySource, metrics: Metrics, logger: Logger
  ) throws {
    let exchange = ledger.exchange
    content = AnnouncedContent(stores.content, exchange)
    layers = AnnouncedLayers(stores.layers, exchange)
    namespaces = ImageNamespaces(store: stores.records, exchange: exchange, logger: logger)
    let (content, known) = (content, Set(try layers.list().map(\.id)))
    try namespaces.load { image in
      content.contains(image.id) && content.contains(image.manifest) && image.layers.allSatisfy(known.contains)
    }
    let leases = PullLeases(store: stores.records, logger: logger)
    try leases.load()
    garbage = GarbageCollector(
      images: namespaces, ledger: ledger, leases: leases, content: content, layers: layers,
      keepsBlobs: settings.images.keepLayerBlobs, metrics: metrics, logger: logger)
    images = ImageService(
      namespaces: namespaces, content: content, layers: layers, registry: registry, garbage: garbage, leases: leases,
      policy: settings.images.policy(logger), recheck: settings.images.recheck, downloads: settings.images.maximumParallelDownloads,
      patience: settings.registry.progressTimeout == .zero ? nil : settings.registry.progressTimeout,
      keepsBlobs: settings.images.keepLayerBlobs, packer: TarPacker(content), metrics: metrics, logger: logger,
      afterPulls: { MemoryPolicy.giveBack() })
  }
}

extension Configuration.Images {
  fileprivate func policy(_ logger: Logger) -> any ImagePolicy {
    if verifierDirectory.isEmpty { return AnyImage() }
    return VerifierPrograms(directory: verifierDirectory, timeout: verifierTimeout, logger: logger)
  }

  fileprivate var recheck: ImageAdmission.Recheck {
    switch verifierRecheck {
    case "never": .never
    case "always": .always
    case "changed": .changed
    default: Duration(goSyntax: verifierRecheck).map { .after($0) } ?? .changed
    }
  }
}
