import ContainerdAPI
package import Core
import SwiftProtobuf

/// A snapshotter whose changes are told in containerd's topics.
package struct AnnouncedSnapshots: Snapshotter {
  private let base: any Snapshotter
  private let name: String
  private let exchange: EventExchange

  /// - Parameter name: what operators call it, `overlay`.
  package init(_ base: any Snapshotter, name: String, _ exchange: EventExchange) {
    self.base = base
    self.name = name
    self.exchange = exchange
  }

  package func prepare(_ key: String, above layers: [LayerID], limit: Int64?) async throws -> RootfsMount {
    let mount = try await base.prepare(key, above: layers, limit: limit)
    exchange.tell(
      "/snapshot/prepare",
      Containerd_Events_SnapshotPrepare.with { ($0.key, $0.parent, $0.snapshotter) = (key, layers.last?.description ?? "", name) })
    return mount
  }

  package func remove(_ key: String) async throws {
    let isThere = exchange.isWatched && (try? base.list().contains(key)) == true
    try await base.remove(key)
    if isThere { exchange.tell("/snapshot/remove", Containerd_Events_SnapshotRemove.with { ($0.key, $0.snapshotter) = (key, name) }) }
  }

  package func mount(_ key: String, above layers: [LayerID]) throws -> RootfsMount { try base.mount(key, above: layers) }
  package func usage(_ key: String) async throws -> DiskUsage { try await base.usage(key) }
  package func overhead() -> DiskUsage { base.overhead() }
  package func list() throws -> [String] { try base.list() }
}
