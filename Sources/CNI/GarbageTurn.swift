/// One GC at a time; who must not overlap with it waits for its end.
actor GarbageTurn {
  private var running: Task<Void, any Error>?

  func run(_ body: @escaping @Sendable () async throws -> Void) async throws {
    if let running { return try await running.value }
    let task = Task { try await body() }
    running = task
    defer { running = nil }
    try await task.value
  }

  func wait() async { _ = try? await running?.value }
}
