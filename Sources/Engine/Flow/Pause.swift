import Core

/// Pauses between attempts: the first half a second, each twice as long as the one before, up to half a minute.
struct Pause {
  private var nanoseconds: Int64 = 500_000_000
  private static let longest: Int64 = 30_000_000_000

  /// Nanoseconds of the next pause.
  mutating func next() -> Int64 {
    defer { nanoseconds = min(2 * nanoseconds, Self.longest) }
    return nanoseconds
  }

  /// `body`'s result, however often it has to be tried. `failed` says why it is tried again, or throws where it is not.
  static func betweenAttempts<R>(
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> R, failed: (Fault) throws -> Void
  ) async throws -> R {
    var pause = Pause()
    while true {
      do { return try await body() } catch { try failed(Fault(error)) }
      try await Task.sleep(nanoseconds: UInt64(pause.next()))
    }
  }
}
