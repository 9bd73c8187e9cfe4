import Content
import Core
import Logging
import Metadata
import Settings
import Snapshots

/// Everything that lives in files: databases, documents, layers, snapshots. Opening takes the node's lock: one daemon a root.
final class Stores: Sendable {
  private let lock: InstanceLock
  let records: FollowingStore
  let content: BlobDirectory
  let layers: LayerDirectories
  let snapshots: OverlaySnapshots

  init(_ settings: Configuration, logger: Logger) throws {
    let lock = try InstanceLock.take(root: settings.root)
    let durable = try SQLiteStore(settings.root + "/metadata.db", .durable, logger: logger)
    let volatile = try SQLiteStore(settings.state + "/runtime.db", .volatile, logger: logger)
    records = try FollowingStore(volatile: volatile, durable: durable, logger: logger)
    content = try BlobDirectory(root: settings.root)
    layers = try LayerDirectories(root: settings.root, limits: ExtractionLimits(settings.images.limits), log: logger)
    try layers.sweep()
    snapshots = try OverlaySnapshots(root: settings.root)
    self.lock = lock
  }

  /// Writes what is not durable yet.
  func close() { records.close() }
}

extension ExtractionLimits {
  init(_ limits: Configuration.Images.Limits) {
    self.init()
    entries = limits.entries
    total = Int64(limits.layerSize)
    fileSize = Int64(limits.fileSize)
    expansion = Int64(limits.expansion)
    depth = limits.depth
  }
}
