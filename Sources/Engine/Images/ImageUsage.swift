package import Core
import Linux
import Synchronization

/// What images and writable layers occupy on disk, for ImageFsInfo: the figures of du(1), from memory. Layers never change, so each is walked
/// once, in the background; until then its own record's figures stand in.
package final class ImageUsage: Sendable {
  package struct Figures: Sendable {
    package var imagePath: String
    package var containerPath: String
    package var images: DiskUsage
    /// Of it, what the layers' own records say: bytes of regular files.
    package var layers: DiskUsage
    package var containers: DiskUsage
    /// Nanoseconds since the epoch.
    package var at: Int64
  }

  private struct Measured: Sendable {
    var layers: [LayerID: DiskUsage] = [:]
    /// Everything else: documents, layers on their way, the directories themselves.
    var rest = DiskUsage()
    var containerRest = DiskUsage()
  }

  private let root: String
  private let layers: any LayerStore
  private let writable: WritableLayers
  private let snapshots: any Snapshotter
  private let measured = Mutex(Measured())
  private let bell = Bell()

  /// Between two looks at what is not a layer.
  private static let rest = Duration.seconds(1)

  package init(root: String, layers: any LayerStore, snapshots: any Snapshotter, writable: WritableLayers) {
    self.root = root
    self.layers = layers
    self.snapshots = snapshots
    self.writable = writable
  }

  /// Begins to measure in the background, for as long as the daemon lives.
  package func begin() {
    Task.detached(priority: .utility) { [self] in
      while true {
        await measure()
        try? await Task.sleep(for: Self.rest)
        await bell.wait()
      }
    }
  }

  /// As they were when last measured; asking has them measured again. Where both are on one filesystem they have one mount point: kubelets take
  /// different ones for different disks.
  package func figures() -> Figures {
    bell.ring()
    let measured = measured.withLock { $0 }
    let known = (try? layers.list()) ?? []
    let images = known.reduce(measured.rest) { $0 + (measured.layers[$1.id] ?? $1.usage) }
    let isOne = FilesystemCapacity.same(root + "/layers", root + "/snapshots")
    return Figures(
      imagePath: isOne ? root : root + "/layers", containerPath: isOne ? root : root + "/snapshots", images: images,
      layers: known.reduce(DiskUsage()) { $0 + $1.usage },
      containers: measured.containerRest + writable.total, at: SystemClock.realtimeNanoseconds())
  }

  func measure() async {
    let known = measured.withLock { $0.layers }
    let ids = ((try? layers.list()) ?? []).map(\.id)
    let root = root
    let snapshots = snapshots
    let found = await BlockingWork.run {
      var found = Self.walk(root, ids, known)
      found.containerRest = snapshots.overhead()
      return found
    }
    measured.withLock { $0 = found }
  }

  private static func walk(_ root: String, _ ids: [LayerID], _ known: [LayerID: DiskUsage]) -> Measured {
    var found = Measured()
    var names: Set<String> = []
    for id in ids {
      let path = LayerLayout.directory(root, id)
      names.insert(String(path.split(separator: "/").last ?? ""))
      found.layers[id] = known[id] ?? (try? TreeUsage.walk(path)).map { DiskUsage($0) }
    }
    let directory = LayerLayout.directory(root)
    for name in (try? Files.list(directory)) ?? [] where !names.contains(name) {
      found.rest = found.rest + DiskUsage(tree: "\(directory)/\(name)")
    }
    found.rest = found.rest + DiskUsage(tree: root + "/content") + DiskUsage(TreeUsage.own(directory))
    return found
  }
}
