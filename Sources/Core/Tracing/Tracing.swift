import Synchronization

/// Whether this process traces, and with what: set once, at the daemon's start.
package enum Tracing {
  private static let on = Atomic(false)
  private static let installed = Mutex<(any Tracer)?>(nil)

  package static var isOn: Bool { on.load(ordering: .relaxed) }

  /// `nil` ends tracing.
  package static func use(_ tracer: (any Tracer)?) {
    installed.withLock { $0 = tracer }
    on.store(tracer != nil, ordering: .relaxed)
  }

  static var tracer: (any Tracer)? { isOn ? installed.withLock { $0 } : nil }
}

/// Runs `body` as a span of its own, a part of what the current task works for. Without tracing it is `body` and nothing more.
package func traced<T>(
  _ name: @autoclosure () -> String, _ attributes: @autoclosure () -> SpanAttributes = [:], as kind: SpanRecord.Kind = .internal,
  isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> T
) async rethrows -> T {
  guard let parent = Span.current, let span = parent.child(name(), attributes(), as: kind) else { return try await body() }
  return try await span.run(body)
}

/// The form for what does not wait.
package func traced<T>(_ name: @autoclosure () -> String, _ attributes: @autoclosure () -> SpanAttributes = [:], _ body: () throws -> T)
  rethrows
  -> T
{
  guard let parent = Span.current, let span = parent.child(name(), attributes()) else { return try body() }
  return try span.run(body)
}

/// Runs `body` as a trace of its own: for what nobody asked for.
package func tracedApart<T>(
  _ name: @autoclosure () -> String, _ attributes: @autoclosure () -> SpanAttributes = [:], isolation: isolated (any Actor)? = #isolation,
  _ body: () async throws -> T
) async rethrows -> T {
  guard Tracing.isOn, let span = Span.root(name(), .internal, attributes()) else { return try await body() }
  return try await span.run(body)
}
