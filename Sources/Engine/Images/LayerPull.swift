import Core
import Linux
import Logging
import OCI
import Synchronization

/// The layers of one pull: those that are there are found, the others are downloaded and applied at once, each by itself,
/// then placed from the lowest up, and committed together with whatever else waits for the disk.
struct LayerPull: Sendable {
  let pull: ImagePull
  let layers: [LayerDescription]
  private let chains: [Digest]
  private let placed: PlacedLayers
  /// Its layers' turns follow each other from the lowest up, since those above wait for them to be placed.
  private let began = SystemClock.monotonicNanoseconds()

  init(pull: ImagePull, layers: [LayerDescription]) {
    self.pull = pull
    self.layers = layers
    chains = ChainID.chain(layers.map(\.diffID))
    placed = PlacedLayers(count: layers.count)
  }

  private var service: ImageService { pull.service }

  /// Nothing has to be fetched.
  var isComplete: Bool { zip(layers, chains).allSatisfy { service.layers.find($0.diffID, chainID: $1) != nil && hasBlob($0) } }

  /// Whether all is there that is to be kept of a layer's blob.
  private func hasBlob(_ layer: LayerDescription) -> Bool {
    !pull.keepsBlobs || service.content.size(layer.descriptor.digest) == layer.descriptor.size
  }

  /// What the layers may be called once they are committed.
  var candidates: [LayerID] { layers.map { LayerID($0.diffID) } + chains.map { LayerID($0) } }

  func run() async throws -> [LayerInfo] {
    var placements: [Task<LayerInfo, any Error>] = []
    for (number, layer) in layers.enumerated() {
      let below = placements
      placements.append(Task { try await place(layer, number, above: below) })
    }
    let commits = placements.enumerated().map { number, placement in Task { try await commit(placement, number) } }
    return try await withTaskCancellationHandler {
      try await collect(commits, placements)
    } onCancel: { [placements] in
      for task in placements { task.cancel() }
    }
  }

  /// Layers above need not wait for a disk's flush.
  private func commit(_ placement: Task<LayerInfo, any Error>, _ number: Int) async throws -> LayerInfo {
    let info = try await placement.value
    try await traced("layer.commit", ["berth.layer.id": "\(info.id)"]) { try await service.layers.commit(info.id) }
    pull.progress.committed(number)
    return info
  }

  /// All of them, or the lowest one's error once none is running any more: nothing goes on behind a failed pull.
  private func collect(_ tasks: [Task<LayerInfo, any Error>], _ placements: [Task<LayerInfo, any Error>]) async throws -> [LayerInfo] {
    var infos: [LayerInfo] = []
    var failure: (any Error)?
    for task in tasks {
      do { infos.append(try await task.value) } catch {
        if failure == nil || failure is CancellationError { failure = error }
        for placement in placements { placement.cancel() }
      }
    }
    if let failure { throw Fault(failure).within(pull.progress.report) }
    return infos
  }

  /// One layer. Its diff ID's lock makes a second image with it wait and then find it. The lock is kept until it is placed only where no lower
  /// layer has to be waited for: waiting with the lock held would deadlock images that have the same layers in another order, or one twice.
  private func place(_ layer: LayerDescription, _ number: Int, above below: [Task<LayerInfo, any Error>]) async throws -> LayerInfo {
    if let present = find(layer, number) {
      try await keepBlob(layer, number)
      return present
    }
    return try await stage("layer \(layer.descriptor.digest)") {
      let step = try await service.layerLocks.with(layer.diffID) { () -> Step in
        if let present = find(layer, number) {
          try await keepBlob(layer, number)
          return .placed(present)
        }
        let applied = try await service.downloads.with(rank: began + Int64(number)) {
          try await traced("layer.fetch", .blob(layer.descriptor)) { try await apply(layer, number) }
        }
        guard let parents = placed.parents(of: number) else { return .applied(applied) }
        return .placed(try await place(applied, number, above: parents))
      }
      switch step {
      case .placed(let info): return info
      case .applied(let applied): return try await placeWhenReady(applied, number, above: below)
      }
    }
  }

  private enum Step: Sendable {
    case placed(LayerInfo)
    case applied(any AppliedLayer)
  }

  private func placeWhenReady(
    _ applied: any AppliedLayer, _ number: Int, above below: [Task<LayerInfo, any Error>]
  ) async throws -> LayerInfo {
    var parents: [LayerID] = []
    do { for task in below { parents.append(try await task.value.id) } } catch {
      await service.layers.discard(applied)
      throw CancellationError()
    }
    return try await place(applied, number, above: parents)
  }

  private func place(_ applied: any AppliedLayer, _ number: Int, above parents: [LayerID]) async throws -> LayerInfo {
    pull.progress.set(number, .committing)
    do {
      let info = try await traced("layer.place") { try await service.layers.place(applied, above: parents) }
      placed.set(number, info.id)
      return info
    } catch {
      await service.layers.discard(applied)
      throw error
    }
  }

  private func find(_ layer: LayerDescription, _ number: Int) -> LayerInfo? {
    guard let info = service.layers.find(layer.diffID, chainID: chains[number]) else { return nil }
    placed.set(number, info.id)
    pull.progress.set(number, .present)
    return info
  }

  /// The blob of a layer that is here without it.
  private func keepBlob(_ layer: LayerDescription, _ number: Int) async throws {
    if !hasBlob(layer) { try await pull.keep(layer.descriptor, number) }
  }

  /// From the source's first byte to the last: applied, not committed. Once more from the start where the source has another content in the middle.
  func apply(_ layer: LayerDescription, _ number: Int) async throws -> any AppliedLayer {
    do { return try await applyOnce(layer, number) } catch {
      if case .layer(_, distributable: false) = layer.descriptor.kind, Fault(error).code == .notFound {
        throw Fault(
          .failedPrecondition, "foreign layer: the registry does not have it, and its URLs are not followed: \(error)", cause: error)
      }
      guard Fault(error).cause is BlobChanged else { throw error }
      service.logger.warning("layer starts over", metadata: ["layer": "\(layer.descriptor.digest)", "error": "\(error)"])
      pull.progress.restart(number)
      return try await applyOnce(layer, number)
    }
  }

  private func applyOnce(_ layer: LayerDescription, _ number: Int) async throws -> any AppliedLayer {
    let ingest = try await service.layers.ingest(layer)
    var kept: (any BlobIngest)?
    do {
      if !hasBlob(layer) { kept = try await service.content.ingest(layer.descriptor) }
      pull.progress.set(number, .downloading)
      let stream = try await pull.source.blob(layer.descriptor, of: pull.reference, credentials: pull.credentials)
      pull.progress.began(number, stream)
      while let chunk = try await stream.next() {
        try Task.checkCancellation()
        pull.progress.received(number, chunk.count)
        try await ingest.write(chunk)
        try await kept?.write(chunk)
      }
      pull.progress.set(number, .applying)
      let applied = try await traced("layer.unpack") { try await ingest.finish() }
      do { try await kept?.finish() } catch {
        await service.layers.discard(applied)
        throw error
      }
      return applied
    } catch {
      await ingest.abort()
      await kept?.abort()
      throw error
    }
  }
}

/// Which layers of one pull are at their places already.
private final class PlacedLayers: Sendable {
  private let ids: Mutex<[LayerID?]>

  init(count: Int) { ids = Mutex(Array(repeating: nil, count: count)) }

  func set(_ number: Int, _ id: LayerID) { ids.withLock { $0[number] = id } }

  /// All layers below `number`, lowest first; `nil` while one is missing.
  func parents(of number: Int) -> [LayerID]? {
    ids.withLock { ids in
      let below = ids[..<number].compactMap { $0 }
      return below.count == number ? below : nil
    }
  }
}
