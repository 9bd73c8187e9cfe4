/// Pauses between attempts: the first half a second, each twice as long as the one before, up to half a minute.
struct Pause {
  private var nanoseconds: Int64 = 500_000_000
  private static let longest: Int64 = 30_000_000_000

  /// Nanoseconds of the next pause.
  mutating func next() -> Int64 {
    defer { nanoseconds = min(2 * nanoseconds, Self.longest) }
    return nanoseconds
  }

  mutating func wait() async throws { try await Task.sleep(nanoseconds: UInt64(next())) }
}
