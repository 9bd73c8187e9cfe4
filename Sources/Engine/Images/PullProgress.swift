package import OCI
import Synchronization

/// Where a pull stands, for progress bars and for the error of a pull that fails.
package final class PullProgress: Sendable {
  package enum Phase: String, Sendable {
    case waiting, present, downloading, applying, committing, done
  }

  package struct Layer: Sendable, Hashable {
    package let digest: Digest
    /// Compressed bytes in all, and those that arrived.
    package let total: Int64
    package var received: Int64
    package var phase: Phase
  }

  private let state = Mutex<[Layer]>([])

  package init() {}

  package func layers() -> [Layer] { state.withLock { $0 } }

  func begin(_ descriptors: [Descriptor]) {
    state.withLock { $0 = descriptors.map { Layer(digest: $0.digest, total: $0.size, received: 0, phase: .waiting) } }
  }

  func set(_ layer: Int, _ phase: Phase) { state.withLock { $0[layer].phase = phase } }

  func received(_ layer: Int, _ bytes: Int) { state.withLock { $0[layer].received += Int64(bytes) } }

  /// `3 of 5 layers, 10 of 36 MB`.
  package var summary: String {
    let layers = layers()
    let finished = layers.count { $0.phase == .done || $0.phase == .present }
    let (received, total) = layers.reduce((0, 0)) { ($0.0 + ($1.phase == .present ? $1.total : $1.received), $0.1 + $1.total) }
    return "\(finished) of \(layers.count) layers, \(received / 1_000_000) of \(total / 1_000_000) MB"
  }
}
