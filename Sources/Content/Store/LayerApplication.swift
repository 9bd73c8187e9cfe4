import Core
import Linux
import OCI

/// One layer being applied: a thread of its own pulls from the queue that `write` fills.
final class LayerApplication: LayerIngest {
  private let queue = ByteQueue()
  private let work: Task<StagedLayer, any Error>

  /// - Parameter path: a directory to be made; it is gone again unless the layer was applied completely.
  init(_ layer: LayerDescription, path: String, limits: ExtractionLimits) {
    let queue = queue
    work = Task {
      try await BlockingWork.runInBackground {
        do { return try Self.apply(layer, queue, path, limits) } catch {
          let fault = Fault(error).within("layer \(layer.descriptor.digest)")
          queue.fail(fault)
          try? Files.removeTree(path)
          throw fault
        }
      }
    }
  }

  /// Whoever forgets about it ends it.
  deinit { queue.fail(Self.aborted) }

  private static let aborted = Fault(.cancelled, "given up")

  func write(_ bytes: [UInt8]) async throws { try await queue.write(bytes) }

  func finish() async throws -> any AppliedLayer {
    queue.complete()
    return try await work.value
  }

  func abort() async {
    queue.fail(Self.aborted)
    if let layer = try? await work.value { await BlockingWork.run { try? Files.removeTree(layer.path) } }
  }

  private static func apply(_ layer: LayerDescription, _ queue: ByteQueue, _ path: String, _ limits: ExtractionLimits) throws
    -> StagedLayer
  {
    ThreadLocale.useUTF8()
    let blob = VerifiedBlob(queue, layer.descriptor)
    let tar = HashedTar(
      try Decompression.open(blob), algorithm: layer.diffID.algorithm, limits: limits, compressed: { blob.count })
    var extractor = try LayerExtractor(try StagingDirectory.make(path), limits)
    do { try extractor.extract(try TarReader(tar, limits: limits)) } catch { throw try blame(error, blob) }
    // What did not arrive as sent is not the image's fault: the blob is judged first.
    try tar.drain()
    try blob.check()
    try tar.check(layer.diffID)
    return StagedLayer(diffID: layer.diffID, path: path, tree: extractor.tree, steps: extractor.steps)
  }

  /// How much more of a refused layer is fetched to know whether it arrived whole.
  private static let lookAhead: Int64 = 64 << 20

  /// Bytes that are not what the digest promised explain any error in what they hold; otherwise the archive itself is to blame.
  private static func blame(_ error: any Error, _ blob: VerifiedBlob) throws -> any Error {
    let fault = Fault(error)
    guard fault.code == .invalidArgument || fault.code == .dataLoss else { return fault }
    do { try blob.check(within: Self.lookAhead) } catch let damage as Fault where damage.code == .dataLoss {
      return Fault(.dataLoss, "\(damage.message); \(fault.message)", cause: fault)
    }
    return fault
  }
}
