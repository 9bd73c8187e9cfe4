/// Something took longer than it may.
package struct TimeLimitExceeded: Error, CustomStringConvertible {
  package let limit: Duration

  package init(limit: Duration) { self.limit = limit }

  package var description: String { "not done after \(limit)" }
}

/// Runs `body`, and cancels it after `limit`.
package func limited<T: Sendable>(to limit: Duration, _ body: @escaping @Sendable () async throws -> T) async throws -> T {
  try await withThrowingTaskGroup(of: T.self) { group in
    group.addTask(operation: body)
    group.addTask {
      try await Task.sleep(for: limit)
      throw TimeLimitExceeded(limit: limit)
    }
    defer { group.cancelAll() }
    guard let result = try await group.next() else { throw CancellationError() }
    return result
  }
}
