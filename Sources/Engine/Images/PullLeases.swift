package import Core
import FoundationEssentials
import Linux
package import Logging
import OCI
import Synchronization

/// Keeps the layers of a pull that has not come to its end (the daemon was killed, the registry went away) for the pull that will follow:
/// what was applied is not fetched twice. On disk, so that they outlive a restart; not for ever, since nobody may come back.
package final class PullLeases: Sendable {
  private struct Lease: Codable, Sendable {
    var layers: [LayerID]
    /// Their blobs, where the daemon keeps any.
    var blobs: [Digest]?
    /// Nanoseconds since the epoch.
    var until: Int64
  }

  /// A kubelet tries again within five minutes.
  private static let lifetime: Int64 = 3600 * 1_000_000_000

  private let leases = Mutex<[String: Lease]>([:])
  private let store: any RecordStore
  private let logger: Logger

  package init(store: any RecordStore, logger: Logger) {
    self.store = store
    self.logger = logger
  }

  /// Takes what an earlier daemon left. A damaged record is forgotten.
  package func load() throws {
    for stored in try store.load(.leases) {
      guard let lease = try? JSONDecoder().decode(Lease.self, from: Data(stored.json)) else {
        try store.delete(.leases, id: stored.id)
        continue
      }
      leases.withLock { $0[stored.id] = lease }
    }
  }

  /// Durable on return: from here on these layers stay until ``drop(_:)``, or for an hour.
  func take(_ reference: ImageReference, _ layers: [LayerID], _ blobs: [Digest] = []) async throws {
    let lease = Lease(layers: layers, blobs: blobs, until: SystemClock.realtimeNanoseconds() + Self.lifetime)
    let json = Array(try JSONEncoder().encode(lease))
    leases.withLock { $0["\(reference)"] = lease }
    try await BlockingWork.run { [store] in try store.put(.leases, StoredRecord(id: "\(reference)", json: json)) }
  }

  /// The pull came to its end, or nobody wants it any more. True where there was a lease.
  @discardableResult
  func drop(_ reference: ImageReference) async -> Bool {
    guard leases.withLock({ $0.removeValue(forKey: "\(reference)") }) != nil else { return false }
    await forget("\(reference)")
    return true
  }

  private func forget(_ id: String) async {
    do { try await BlockingWork.run { [store] in try store.delete(.leases, id: id) } } catch {
      logger.error("lease of \(id): \(Fault(error))")
    }
  }

  /// Layers that somebody may come back for.
  func layers() -> Set<LayerID> {
    Set(valid().flatMap(\.layers))
  }

  func blobs() -> [Digest] { valid().flatMap { $0.blobs ?? [] } }

  private func valid() -> [Lease] {
    let now = SystemClock.realtimeNanoseconds()
    return leases.withLock { $0.values.filter { $0.until > now } }
  }

  /// Drops those whose time is over; how long until the next one's is, `nil` for none.
  func expire() async -> Duration? {
    let now = SystemClock.realtimeNanoseconds()
    let (old, next) = leases.withLock { leases in
      let old = leases.filter { $0.value.until <= now }.map(\.key)
      for key in old { leases[key] = nil }
      return (old, leases.values.map(\.until).min())
    }
    for id in old { await forget(id) }
    return next.map { .nanoseconds($0 - now) }
  }
}

extension PullLeases {
  /// Whether the same pull may well succeed later: not where the image itself is at fault, nor where the disk is full, which its layers
  /// would keep full.
  static func isWorthKeeping(after error: any Error) -> Bool {
    let fault = Fault(error)
    switch fault.code {
    case .cancelled, .deadlineExceeded, .unavailable, .aborted: return true
    case .resourceExhausted:
      guard let system = fault.cause as? SystemError else { return true }
      return system.number != system.noSpace && system.number != system.quota
    default: return false
    }
  }
}
