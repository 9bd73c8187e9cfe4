package import Core
import Linux

/// Whole copies of the layers, `snapshots/<key>/fs`, for where overlayfs cannot be used. Slow to make and large, but nothing else is needed of the
/// kernel; on filesystems that share data between files a copy costs little. Everything but making one is as for overlays.
package struct NativeSnapshots: Snapshotter {
  private let root: String
  private let base: OverlaySnapshots

  /// - Parameter base: of the same root.
  package init(root: String, base: OverlaySnapshots) {
    self.root = root
    self.base = base
  }

  package func prepare(_ key: String, above layers: [LayerID], limit: Int64?) async throws -> RootfsMount {
    guard limit == nil else {
      throw Fault(.failedPrecondition, "snapshot \(key): its size cannot be limited: it is a copy of its image (native)")
    }
    _ = try await base.prepare(key, above: layers)
    do {
      try await stage("snapshot \(key)") {
        let (target, sources) = (path(key), layers.map { LayerLayout.files(root, $0) })
        try await BlockingWork.run {
          try Files.removeTree(Files.parent(of: target) + "/work")
          var copy = try LayerCopy(into: target)
          for layer in sources { try copy.add(layer) }
        }
      }
      return try mount(key, above: layers)
    } catch {
      try? await base.remove(key)
      throw error
    }
  }

  private func path(_ key: String) -> String { "\(root)/snapshots/\(key)/fs" }

  package func mount(_ key: String, above layers: [LayerID]) throws -> RootfsMount {
    _ = try base.mount(key, above: layers)
    return RootfsMount(lower: [], upper: path(key), work: nil)
  }

  package func usage(_ key: String) async throws -> DiskUsage { try await base.usage(key) }
  package func overhead() -> DiskUsage { base.overhead() }
  package func remove(_ key: String) async throws { try await base.remove(key) }
  package func list() throws -> [String] { try base.list() }
}
