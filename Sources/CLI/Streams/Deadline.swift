/// Gives something up after a time.
enum Deadline {
  /// nil where `body` took longer than so many seconds (0: no limit). It is then left to itself: this is for what ends with the program.
  static func within<T: Sendable>(_ seconds: Int64, _ body: @escaping @Sendable () async throws -> T) async throws -> T? {
    guard seconds > 0 else { return try await body() }
    let (results, continuation) = AsyncThrowingStream<T?, any Error>.makeStream()
    Task {
      do {
        continuation.yield(try await body())
        continuation.finish()
      } catch { continuation.finish(throwing: error) }
    }
    Task {
      try? await Task.sleep(for: .seconds(seconds))
      continuation.yield(nil)
      continuation.finish()
    }
    for try await result in results { return result }
    return nil
  }
}
