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

/// Downloads from one host at a time, over all pulls; in order of arrival.
final class HostSlots: Sendable {
  private struct Host {
    var busy = 0
    var waiting: [(number: Int, continuation: CheckedContinuation<Void, any Error>)] = []
  }

  private struct State {
    var hosts: [String: Host] = [:]
    var next = 0
    /// Cancelled before they were registered.
    var cancelled: Set<Int> = []
  }

  private let limit: Int
  private let state = Mutex(State())

  /// - Parameter limit: 0 for none.
  init(limit: Int) { self.limit = limit }

  func with<T: Sendable>(_ origin: String, _ body: () async throws -> T) async throws -> T {
    guard limit > 0 else { return try await body() }
    try await enter(origin)
    defer { leave(origin) }
    return try await body()
  }

  private func enter(_ origin: String) async throws {
    let number = state.withLock { state in
      state.next += 1
      return state.next
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let result: Result<Void, any Error>? = state.withLock { state in
          if state.cancelled.remove(number) != nil || Task.isCancelled { return .failure(CancellationError()) }
          if state.hosts[origin, default: Host()].busy < limit {
            state.hosts[origin, default: Host()].busy += 1
            return .success(())
          }
          state.hosts[origin, default: Host()].waiting.append((number, continuation))
          return nil
        }
        if let result { continuation.resume(with: result) }
      }
      state.withLock { _ = $0.cancelled.remove(number) }
    } onCancel: {
      abandon(number, origin)
    }
  }

  private func abandon(_ number: Int, _ origin: String) {
    let waiter: CheckedContinuation<Void, any Error>? = state.withLock { state in
      guard let index = state.hosts[origin]?.waiting.firstIndex(where: { $0.number == number }) else {
        state.cancelled.insert(number)
        return nil
      }
      return state.hosts[origin]?.waiting.remove(at: index).continuation
    }
    waiter?.resume(throwing: CancellationError())
  }

  private func leave(_ origin: String) {
    let next: CheckedContinuation<Void, any Error>? = state.withLock { state in
      guard var host = state.hosts[origin] else { return nil }
      defer { state.hosts[origin] = host.busy == 0 ? nil : host }
      if !host.waiting.isEmpty { return host.waiting.removeFirst().continuation }
      host.busy -= 1
      return nil
    }
    next?.resume()
  }
}
