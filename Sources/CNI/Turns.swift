import Synchronization

/// One at a time for each key, first come first served; different keys run side by side.
final class Turns: Sendable {
  /// Who waits for a key; a key without an entry is free.
  private let waiting = Mutex<[String: [CheckedContinuation<Void, Never>]]>([:])

  func run<T>(_ key: String, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> T) async rethrows -> T {
    await enter(key)
    defer { leave(key) }
    return try await body()
  }

  private func enter(_ key: String) async {
    await withCheckedContinuation { continuation in
      let free = waiting.withLock { waiting in
        let free = waiting[key] == nil
        if free { waiting[key] = [] } else { waiting[key]?.append(continuation) }
        return free
      }
      if free { continuation.resume() }
    }
  }

  private func leave(_ key: String) {
    let next = waiting.withLock { waiting -> CheckedContinuation<Void, Never>? in
      guard waiting[key]?.isEmpty == false else {
        waiting[key] = nil
        return nil
      }
      return waiting[key]?.removeFirst()
    }
    next?.resume()
  }
}
