import Core
import Synchronization

/// What a host asked of everyone: who was told to come back later (429, 503 with `Retry-After`) speaks for all pulls, so that they do not find out one
/// by one. A 503 is the host's state; a 429 is what one requester has used up, and holds nobody else back.
final class HostLimits: Sendable {
  private struct Key: Hashable {
    let origin: String
    /// `nil` for all.
    let identity: Endpoint.Identity?
  }

  private struct Pause {
    let until: ContinuousClock.Instant
    let status: UInt
  }

  /// A host that asks for more is asked again after this all the same.
  private static let longest = Duration.seconds(600)
  private static let capacity = 256

  private let pauses = Mutex<[Key: Pause]>([:])

  func note(_ status: UInt, retryAfter: Duration?, from endpoint: Endpoint) {
    guard [429, 503].contains(status), let retryAfter, retryAfter > .zero else { return }
    let key = Key(origin: endpoint.origin, identity: status == 429 ? endpoint.identity : nil)
    pauses.withLock { pauses in
      if pauses.count >= Self.capacity { pauses.removeAll() }
      pauses[key] = Pause(until: .now + min(retryAfter, Self.longest), status: status)
    }
  }

  /// Throws while the host wants to be left alone.
  func check(_ endpoint: Endpoint, _ place: String) throws(AttemptFailure) {
    let keys = [Key(origin: endpoint.origin, identity: nil), Key(origin: endpoint.origin, identity: endpoint.identity)]
    let pause = pauses.withLock { pauses in
      for key in keys { if let pause = pauses[key], pause.until <= .now { pauses[key] = nil } }
      return keys.compactMap { pauses[$0] }.max { $0.until < $1.until }
    }
    guard let pause else { return }
    let left = pause.until - .now
    var failure = AttemptFailure(
      Fault(
        pause.status == 429 ? .resourceExhausted : .unavailable,
        "\(place): not asked: the host answered \(pause.status) and wants to be left alone for \(left.components.seconds + 1) s more"),
      isTransient: true, retryAfter: left)
    failure.kind = .held
    throw failure
  }
}
