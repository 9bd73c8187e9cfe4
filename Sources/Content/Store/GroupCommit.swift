import Core

/// Lets calls that arrive while a commit runs share the next one: a sync costs a flush of the disk, however many layers it is for.
actor GroupCommit {
  private var waiting: [LayerID] = []
  private var running: Task<Void, any Error>?
  private var next: Task<Void, any Error>?

  /// Returns when a `commit` that began after this call has ended; throws its error. Not cancelled with the calling task.
  func join(_ id: LayerID, _ commit: @escaping @Sendable ([LayerID]) async throws -> Void) async throws {
    waiting.append(id)
    if let next { return try await next.value }
    let before = running
    let task = Task {
      _ = try? await before?.value
      try await commit(take())
    }
    next = task
    try await task.value
  }

  private func take() -> [LayerID] {
    defer { waiting = [] }
    (running, next) = (next, nil)
    return waiting
  }
}
