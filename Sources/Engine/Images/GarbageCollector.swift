package import Core
package import Logging
import OCI
import Synchronization

/// Deletes layers and documents that no image, container or running pull refers to. Runs in the background, one pass at a time.
package final class GarbageCollector: Sendable {
  private struct State {
    var running = false
    var again = false
    var heldLayers: [LayerID: Int] = [:]
    var pulls = 0
    /// A pass will come by itself when the next lease ends.
    var waits = false
  }

  private let state = Mutex(State())
  private let images: ImageNamespaces
  private let ledger: Ledger
  private let leases: PullLeases
  private let content: any BlobStore
  private let layers: any LayerStore
  private let keepsBlobs: Bool
  private let metrics: Metrics
  private let logger: Logger

  package init(
    images: ImageNamespaces, ledger: Ledger, leases: PullLeases, content: any BlobStore, layers: any LayerStore,
    keepsBlobs: Bool = false, metrics: Metrics = Metrics(), logger: Logger
  ) {
    self.images = images
    self.ledger = ledger
    self.leases = leases
    self.content = content
    self.layers = layers
    self.keepsBlobs = keepsBlobs
    self.metrics = metrics
    self.logger = logger
  }

  /// Protects everything there is while `body` (a pull or an import) finds and adds documents and layers.
  func holding<T: Sendable>(_ body: () async throws -> T) async rethrows -> T {
    state.withLock { $0.pulls += 1 }
    defer {
      let collect = state.withLock { state in
        state.pulls -= 1
        return state.pulls == 0 && state.again
      }
      if collect { request() }
    }
    return try await body()
  }

  /// Protects layers from their look-up until a container's record names them.
  func hold(_ ids: [LayerID]) { state.withLock { state in for id in ids { state.heldLayers[id, default: 0] += 1 } } }

  func release(_ ids: [LayerID]) {
    state.withLock { state in
      for id in ids { if let count = state.heldLayers[id] { state.heldLayers[id] = count > 1 ? count - 1 : nil } }
    }
  }

  /// Asks for a pass soon; while pulls run it waits for their end.
  package func request() {
    let start = state.withLock { state in
      guard !state.running, state.pulls == 0 else {
        state.again = true
        return false
      }
      state.running = true
      state.again = false
      return true
    }
    guard start else { return }
    Task.detached(priority: .utility) { [self] in
      await tracedApart("garbage.collection") { await collect() }
      let again = state.withLock { state in
        state.running = false
        return state.again && state.pulls == 0
      }
      if again { request() }
    }
  }

  private func collect() async {
    let began = ContinuousClock.now
    if let pause = await leases.expire() { wake(after: pause) }
    do {
      try await removeUnused()
      metrics.add(.collections, labels: ["ok"])
    } catch {
      metrics.add(.collections, labels: ["failed"])
      logger.error("garbage collection: \(Fault(error))")
    }
    metrics.observe(.collectionSeconds, since: began)
  }

  private func removeUnused() async throws {
    for layer in try layers.list() where !isUsed(layer.id) { try await removeLayer(layer) }
    let documents = self.documents()
    for digest in try content.list() where !documents.contains(digest) {
      guard state.withLock({ $0.pulls == 0 }) else { return }
      let size = content.size(digest) ?? 0
      try content.remove(digest)
      count("blob", size)
    }
  }

  private func count(_ kind: String, _ bytes: Int64) {
    metrics.add(.collected, labels: [kind])
    metrics.add(.collectedBytes, Double(bytes), labels: [kind])
  }

  /// What is kept of the content store.
  private func documents() -> Set<Digest> {
    let images = images.list()
    let documents = Set(images.flatMap { [$0.id, $0.manifest, $0.target] })
    return keepsBlobs ? documents.union(images.flatMap { $0.blobs ?? [] }).union(leases.blobs()) : documents
  }

  /// What a lease keeps goes when its time is over, asked for or not. One such wait at a time: each pass begins the next.
  private func wake(after pause: Duration) {
    let waits = state.withLock { state in
      defer { state.waits = true }
      return state.waits
    }
    if waits { return }
    Task.detached(priority: .utility) { [weak self] in
      try? await Task.sleep(for: max(pause, .seconds(1)))
      self?.state.withLock { $0.waits = false }
      self?.request()
    }
  }

  private func removeLayer(_ layer: LayerInfo) async throws {
    try await layers.remove(layer.id)
    count("layer", layer.usage.bytes)
    logger.info("layer removed", metadata: ["layer": "\(layer.id)", "bytes": "\(layer.usage.bytes)"])
  }

  /// Asked anew for each layer: images and containers come and go during a pass.
  private func isUsed(_ id: LayerID) -> Bool {
    if state.withLock({ $0.pulls > 0 || $0.heldLayers[id] != nil }) { return true }
    return leases.layers().contains(id) || images.list().contains { $0.layers.contains(id) }
      || ledger.containers().contains { $0.layers.contains(id) }
  }

  /// Containers whose root filesystem may be mounted on the layer.
  func users(of id: LayerID) -> [ContainerRecord] { ledger.containers().filter { $0.exit == nil && $0.layers.contains(id) } }

  /// How many images of all namespaces have each layer.
  func layerUsers() -> [LayerID: Int] {
    images.list().reduce(into: [:]) { users, image in for layer in Set(image.layers) { users[layer, default: 0] += 1 } }
  }

  /// How many containers each image has.
  func containersByImage() -> [Digest: Int] { ledger.containers().reduce(into: [:]) { $0[$1.imageID, default: 0] += 1 } }
}
