import Synchronization

/// How long a network that has worked may fail its STATUS before the node says so: an agent that restarts is back in a moment, and a node that is
/// not ready loses its pods.
final class StatusGrace: Sendable {
  private let limit: Duration
  private let worked = Mutex<ContinuousClock.Instant?>(nil)

  /// Zero for none.
  init(_ limit: Duration) { self.limit = limit }

  /// All is well now.
  func note(_ now: ContinuousClock.Instant = .now) { worked.withLock { $0 = now } }

  /// Whether a failure now is within the grace period of the last success.
  func covers(_ now: ContinuousClock.Instant = .now) -> Bool {
    guard limit > .zero, let last = worked.withLock({ $0 }) else { return false }
    return last.duration(to: now) < limit
  }
}
