package import Core
import Linux

/// What images and writable layers hold on disk, for ImageFsInfo.
package struct ImageUsage: Sendable {
  package struct Figures: Sendable {
    package var imagePath: String
    package var containerPath: String
    package var images: DiskUsage
    package var containers: DiskUsage
    /// Nanoseconds since the epoch.
    package var at: Int64
  }

  private let root: String
  private let layers: any LayerStore
  private let snapshots: any Snapshotter

  package init(root: String, layers: any LayerStore, snapshots: any Snapshotter) {
    self.root = root
    self.layers = layers
    self.snapshots = snapshots
  }

  package func figures() async throws -> Figures {
    let images = try layers.list().reduce(DiskUsage()) { $0 + $1.usage }
    var containers = DiskUsage()
    for key in try snapshots.list() { containers = containers + ((try? await snapshots.usage(key)) ?? DiskUsage()) }
    return Figures(
      imagePath: root + "/layers", containerPath: root + "/snapshots", images: images, containers: containers,
      at: SystemClock.realtimeNanoseconds())
  }
}
