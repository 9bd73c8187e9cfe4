import Content
import Core
import Engine
import Linux
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
  /// That of handlers which name none.
  let snapshots: any Snapshotter
  private let snapshotterName: String
  /// By name.
  let snapshotters: [String: any Snapshotter]

  init(_ settings: Configuration, logger: Logger) throws {
    let lock = try InstanceLock.take(root: settings.root)
    let durable = try SQLiteStore(settings.root + "/metadata.db", .durable, logger: logger)
    let volatile = try SQLiteStore(settings.state + "/runtime.db", .volatile, logger: logger)
    records = try FollowingStore(volatile: volatile, durable: durable, logger: logger)
    content = try BlobDirectory(root: settings.root)
    layers = try LayerDirectories(root: settings.root, limits: ExtractionLimits(settings.images.limits), log: logger)
    let store = layers
    Task.detached { await store.sweep() }
    let overlay = try OverlaySnapshots(root: settings.root, limits: LimitMethod(rawValue: settings.snapshots.limitMethod) ?? .auto)
    let native = NativeSnapshots(root: settings.root, base: overlay)
    snapshotters = ["overlay": overlay, "native": native]
    let isNative = Self.isNative(settings, logger)
    snapshots = isNative ? native : overlay
    snapshotterName = isNative ? "native" : "overlay"
    try stage("snapshots") { try settings.checkLimits(overlay, standardIsNative: isNative) }
    settings.makeLimitsReady(overlay, logger)
    self.lock = lock
  }

  private static func isNative(_ settings: Configuration, _ logger: Logger) -> Bool {
    guard settings.snapshots.snapshotter == "auto" else { return settings.snapshots.snapshotter == "native" }
    guard let problem = Mounts.overlayProblem(settings.root + "/snapshots") else { return false }
    logger.warning("overlayfs cannot be used below \(settings.root), containers get copies of their images: \(problem)")
    return true
  }

  /// Their changes are told.
  func announcedSnapshots(_ exchange: EventExchange) -> any Snapshotter {
    AnnouncedSnapshots(snapshots, name: snapshotterName, exchange)
  }

  func announcedSnapshotters(_ exchange: EventExchange) -> [String: any Snapshotter] {
    Dictionary(uniqueKeysWithValues: snapshotters.map { ($0, AnnouncedSnapshots($1, name: $0, exchange)) })
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
    pathLength = limits.pathLength
    nameLength = limits.nameLength
    attributes = limits.attributes
    attributeSize = limits.attributeSize
  }
}
