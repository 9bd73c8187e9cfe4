import Core
import Linux
package import OCI
import Synchronization

/// Where a pull or a push stands, for progress bars, for log lines and for the error of a pull that fails.
package final class PullProgress: Sendable {
  package enum Phase: String, Sendable, CaseIterable {
    case waiting, present, downloading, applying, committing, done
    /// Of a push: the registry is asked whether it has the blob; the blob is sent; the registry took it from another repository.
    case checking, uploading, mounted
  }

  package struct Layer: Sendable, Hashable {
    package let digest: Digest
    /// Compressed bytes in all, and those that arrived.
    package let total: Int64
    package var received: Int64
    package var phase: Phase
  }

  /// What the name turned out to be.
  package struct Resolved: Sendable, Hashable {
    package let reference: String
    /// Of the manifest for this platform.
    package let manifest: Digest
  }

  private struct State {
    var layers: [Layer] = []
    var resolved: Resolved?
    /// By layer: whether its transfer waits for its turn.
    var queues: [Int: @Sendable () -> Bool] = [:]
    /// The pull that this one joined.
    var leader: PullProgress?
  }

  private let state = Mutex(State())
  /// Nanoseconds since the epoch.
  package let startedAt = SystemClock.realtimeNanoseconds()
  private let began = SystemClock.monotonicNanoseconds()

  package init() {}

  package func layers() -> [Layer] { source.state.withLock { $0.layers } }
  package var resolved: Resolved? { source.state.withLock { $0.resolved } }

  /// Shows what `leader` does from here on; of itself it forgets about any.
  func follow(_ leader: PullProgress) { state.withLock { $0.leader = leader === self ? nil : leader } }

  private var source: PullProgress { state.withLock { $0.leader } ?? self }

  func begin(_ resolved: Resolved, _ descriptors: [Descriptor]) {
    state.withLock { state in
      state.resolved = resolved
      state.layers = descriptors.map { Layer(digest: $0.digest, total: $0.size, received: 0, phase: .waiting) }
    }
  }

  func set(_ layer: Int, _ phase: Phase) { state.withLock { $0.layers[layer].phase = phase } }

  /// A new layer is durable; one that was there stays `present`.
  func committed(_ layer: Int) {
    state.withLock { if $0.layers[layer].phase == .committing { $0.layers[layer].phase = .done } }
  }

  /// So many bytes are there now, more or fewer than before.
  func stands(_ layer: Int, at bytes: Int64) { state.withLock { $0.layers[layer].received = bytes } }

  func received(_ layer: Int, _ bytes: Int) { state.withLock { $0.layers[layer].received += Int64(bytes) } }

  /// A layer's transfer has begun.
  func began(_ layer: Int, _ stream: any BlobStream) { state.withLock { $0.queues[layer] = stream.isQueued } }

  /// A layer arrives from the start once more.
  func restart(_ layer: Int) { state.withLock { $0.layers[layer].received = 0 } }

  /// Returns when for `patience` the source brought nothing although it was asked. Time spent on unpacking and on waiting for other pulls does not count.
  func waitForStandstill(_ patience: Duration) async throws {
    var (last, since) = (layers(), ContinuousClock.now)
    while ContinuousClock.now - since < patience {
      try await Task.sleep(for: min(patience / 8, .seconds(5)))
      let now = layers()
      let queues = source.state.withLock { $0.queues }
      let isAsking = now.isEmpty || now.enumerated().contains { $1.phase == .downloading && queues[$0]?() != true }
      let isBusy = now.contains { $0.phase == .applying || $0.phase == .committing }
      if now != last || !isAsking || isBusy { (last, since) = (now, .now) }
    }
  }

  /// Compressed bytes that came from the source.
  package var received: Int64 { layers().map { $0.phase.isWithoutBytes ? 0 : $0.received }.sum }

  /// `3 of 5 layers, 10 of 36 MB`.
  package var summary: String {
    let layers = layers()
    if layers.isEmpty { return "resolving" }
    let finished = layers.count { $0.phase == .done || $0.phase.isWithoutBytes }
    let (received, total) = (layers.map { $0.phase.isWithoutBytes ? $0.total : $0.received }.sum, layers.map(\.total).sum)
    return "\(finished) of \(layers.count) layers, \(received / 1_000_000) of \(total / 1_000_000) MB"
  }

  /// The summary with rate and phases: `3 of 5 layers, 10 of 36 MB, 1.2 MB/s, 2 downloading`.
  package var report: String { report(since: 0, over: SystemClock.monotonicNanoseconds() - began) }

  /// - Parameters:
  ///   - earlier: ``received`` at the beginning of the time that the rate is of.
  ///   - nanoseconds: how long that is.
  func report(since earlier: Int64, over nanoseconds: Int64) -> String {
    let layers = layers()
    if layers.isEmpty { return summary }
    let tenths = (received - earlier) * 10_000 / max(nanoseconds, 1)
    let phases: [Phase] = [.waiting, .checking, .downloading, .applying, .committing, .uploading]
    let busy = phases.map { phase in (phase, layers.count { $0.phase == phase }) }.filter { $0.1 > 0 }
    return ([summary, "\(tenths / 10).\(tenths % 10) MB/s"] + busy.map { "\($0.1) \($0.0.rawValue)" }).joined(separator: ", ")
  }
}

extension [Int64] {
  /// At most the largest number there is: what an archive says of its blobs need not be true.
  fileprivate var sum: Int64 {
    reduce(0) { sum, size in
      let (next, isTooMuch) = sum.addingReportingOverflow(size)
      return isTooMuch ? .max : next
    }
  }
}

extension PullProgress.Phase {
  /// Done, though nothing was sent or fetched.
  fileprivate var isWithoutBytes: Bool { self == .present || self == .mounted }
}
