/// Serialises work under the same key; different keys run at once. Waiting is in order of arrival and is not cancelled:
/// holders are operations of the runtime, which end.
package actor KeyedLock<Key: Hashable & Sendable> {
  private var held: Set<Key> = []
  private var waiting: [Key: [CheckedContinuation<Void, Never>]] = [:]

  package init() {}

  package func with<T: Sendable>(_ key: Key, _ body: @Sendable () async throws -> T) async rethrows -> T {
    await acquire(key)
    defer { release(key) }
    return try await body()
  }

  private func acquire(_ key: Key) async {
    if held.insert(key).inserted { return }
    await withCheckedContinuation { waiting[key, default: []].append($0) }
  }

  private func release(_ key: Key) {
    guard var queue = waiting[key], !queue.isEmpty else {
      held.remove(key)
      return
    }
    let next = queue.removeFirst()
    waiting[key] = queue.isEmpty ? nil : queue
    next.resume()
  }
}
