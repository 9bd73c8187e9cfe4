import ContainerdAPI
package import Core
package import OCI
import SwiftProtobuf

/// A store of layers whose changes are told in containerd's topics, where layers are committed snapshots.
package struct AnnouncedLayers: LayerStore {
  private let base: any LayerStore
  private let exchange: EventExchange
  private let arrivals = Arrivals<LayerID>()

  package init(_ base: any LayerStore, _ exchange: EventExchange) {
    self.base = base
    self.exchange = exchange
  }

  package func commit(_ id: LayerID) async throws {
    guard exchange.isWatched else { return try await base.commit(id) }
    try await arrivals.bring(id, unless: { isCommitted(id) }) {
      try await base.commit(id)
    } tell: {
      exchange.tell(
        "/snapshot/commit",
        Containerd_Events_SnapshotCommit.with { ($0.key, $0.name, $0.snapshotter) = ("\(id)", "\(id)", "overlay") })
    }
  }

  package func remove(_ id: LayerID) async throws {
    let isThere = exchange.isWatched && isCommitted(id)
    try await base.remove(id)
    if isThere {
      exchange.tell("/snapshot/remove", Containerd_Events_SnapshotRemove.with { ($0.key, $0.snapshotter) = ("\(id)", "overlay") })
    }
  }

  private func isCommitted(_ id: LayerID) -> Bool { (try? base.list().contains { $0.id == id }) == true }

  package func find(_ diffID: Digest, chainID: Digest) -> LayerInfo? { base.find(diffID, chainID: chainID) }
  package func ingest(_ layer: LayerDescription) async throws -> any LayerIngest { try await base.ingest(layer) }
  package func place(_ layer: any AppliedLayer, above parents: [LayerID]) async throws -> LayerInfo {
    try await base.place(layer, above: parents)
  }
  package func replace(_ id: LayerID, with layer: any AppliedLayer, above parents: [LayerID]) async throws {
    try await base.replace(id, with: layer, above: parents)
  }
  package func discard(_ layer: any AppliedLayer) async { await base.discard(layer) }
  package func list() throws -> [LayerInfo] { try base.list() }
  package func verify(_ id: LayerID) async throws -> [String] { try await base.verify(id) }
  package func sweep() async { await base.sweep() }
  package func readFile(_ path: String, in layers: [LayerID], limit: Int) throws -> [UInt8]? {
    try base.readFile(path, in: layers, limit: limit)
  }
  package func places(_ paths: [String], in layers: [LayerID]) throws -> [ImagePlace] { try base.places(paths, in: layers) }
}
