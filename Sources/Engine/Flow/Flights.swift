package import Core
import Synchronization

/// Running operations by key. The same key with the same request joins; with another request it is refused by the caller's `conflict`.
package final class Flights<Key: Hashable & Sendable, Request: Equatable & Sendable, Value: Sendable>: Sendable {
  private struct Entry {
    let request: Request
    let flight: Flight<Value>
    /// Of the call that started it.
    let origin: TraceContext?
  }

  private let running = Mutex<[Key: Entry]>([:])

  package init() {}

  /// Joins the operation that runs under `key`, or starts `operation`. Waits for its result.
  package func join(
    _ key: Key, _ request: Request, conflict: @Sendable (Request) -> Fault,
    _ operation: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    let span = Span.current
    let found: Result<Flight<Value>, Fault> = running.withLock { running in
      if let entry = running[key] {
        guard entry.request == request else { return .failure(conflict(entry.request)) }
        if let span, let origin = entry.origin { span.link(origin, ["berth.joined": true]) }
        return .success(entry.flight)
      }
      let flight = Flight(span: span) { [self] in
        defer { self.running.withLock { _ = $0.removeValue(forKey: key) } }
        return try await operation()
      }
      running[key] = Entry(request: request, flight: flight, origin: span?.context)
      return .success(flight)
    }
    return try await found.get().value()
  }
}

/// For operations that are the same whoever asks: stop, remove.
package struct Nothing: Equatable, Sendable { package init() {} }

extension Flights where Request == Nothing {
  package func join(_ key: Key, _ operation: @escaping @Sendable () async throws -> Value) async throws -> Value {
    try await join(key, Nothing(), conflict: { _ in Fault(.internal, "unreachable") }, operation)
  }
}

extension Flights {
  /// Returns when no operation runs under `key` any more, however it ended.
  package func waitIfRunning(_ key: Key) async {
    guard let flight = running.withLock({ $0[key]?.flight }) else { return }
    _ = try? await flight.value()
  }
}
