import Core
import Linux
import NIOCore

/// Asynchronous work that an event loop asks for: done elsewhere, its result brought back to the loop.
enum Errand {
  /// `work` counts it until `then` has run.
  @discardableResult
  static func run<T: Sendable>(
    from loop: any EventLoop, _ work: WorkCount, _ body: @escaping @Sendable () async throws -> T,
    then: @escaping @Sendable (Result<T, Fault>) -> Void
  ) -> Task<Void, Never> {
    work.begin()
    return Task {
      let result = await attempt(body)
      loop.execute {
        then(result)
        work.end()
      }
    }
  }

  private static func attempt<T: Sendable>(_ body: @Sendable () async throws -> T) async -> Result<T, Fault> {
    do { return .success(try await body()) } catch { return .failure(Fault(error)) }
  }
}
