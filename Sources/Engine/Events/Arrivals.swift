import Synchronization

/// What is on its way into a store. Several may bring the same at once, of whom one tells.
final class Arrivals<Key: Hashable & Sendable>: Sendable {
  private let running = Mutex<Set<Key>>([])

  /// Brings it, and tells of it where it is new: neither there before, nor brought by another call meanwhile.
  func bring(_ key: Key, unless isThere: () -> Bool, _ bring: () async throws -> Void, tell: () -> Void) async throws {
    guard running.withLock({ $0.insert(key).inserted }) else { return try await bring() }
    defer { running.withLock { _ = $0.remove(key) } }
    // Only now: who brought it before has left the set when it was there.
    let isNew = !isThere()
    try await bring()
    if isNew { tell() }
  }
}
