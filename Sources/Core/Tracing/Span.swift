import Linux
import Synchronization

/// A span under way. What is done within it, on whatever thread, finds it as ``current``.
///
/// Of a trace that is not recorded there is one span only, that of the call that came in, which is nothing but its context to pass on.
package final class Span: Sendable {
  @TaskLocal private static var bound: Span?

  package let context: TraceContext
  private let tracer: any Tracer
  /// The same moment by both clocks. All times of a call's spans are counted from its own by the monotonic one, so that a part never seems to begin
  /// before the whole or to outlast it.
  private let start: Int64
  private let began: Int64
  /// `nil` once it has ended, and where the trace is not recorded.
  private let record: Mutex<SpanRecord?>

  /// What the current task works for; `nil` without tracing, which costs no look-up.
  package static var current: Span? { Tracing.isOn ? bound : nil }

  private init(_ context: TraceContext, _ tracer: any Tracer, start: Int64, began: Int64, _ record: SpanRecord?) {
    (self.context, self.tracer, self.start, self.began) = (context, tracer, start, began)
    self.record = Mutex(record)
  }

  /// Nanoseconds since the epoch.
  private func time(at moment: Int64 = SystemClock.monotonicNanoseconds()) -> Int64 { start + moment - began }

  /// A span whose parent, if it has any, is not in this process; `nil` without tracing.
  package static func root(_ name: String, _ kind: SpanRecord.Kind, parent: TraceContext? = nil, _ attributes: SpanAttributes = [:])
    -> Span?
  {
    guard let tracer = Tracing.tracer else { return nil }
    let parent = tracer.takesParents ? parent : nil
    let trace = parent?.trace ?? .random()
    let context = TraceContext(
      trace: trace, span: .random(), isSampled: tracer.samples(trace, parent: parent), isRandom: parent?.isRandom ?? false,
      state: parent?.state ?? "")
    let (began, start) = (SystemClock.monotonicNanoseconds(), SystemClock.realtimeNanoseconds())
    guard context.isSampled else { return Span(context, tracer, start: start, began: began, nil) }
    return Span(
      context, tracer, start: start, began: began,
      SpanRecord(context, parent?.span, isRemote: parent != nil, name, kind, start: start, attributes, tracer.limits))
  }

  /// A part of this one, which may have ended already; `nil` where the trace is not recorded. Whoever asks for it ends it.
  package func child(_ name: String, _ attributes: SpanAttributes = [:], as kind: SpanRecord.Kind = .internal) -> Span? {
    guard context.isSampled else { return nil }
    let context = context.child()
    let began = SystemClock.monotonicNanoseconds()
    let start = time(at: began)
    return Span(
      context, tracer, start: start, began: began,
      SpanRecord(context, self.context.span, isRemote: false, name, kind, start: start, attributes, tracer.limits))
  }

  /// `body` with this as its current span; ends with it.
  package func run<T>(isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> T) async rethrows -> T {
    defer { end() }
    do { return try await Self.$bound.withValue(self, operation: body) } catch {
      fail(error)
      throw error
    }
  }

  /// The form for what does not wait.
  package func run<T>(_ body: () throws -> T) rethrows -> T {
    defer { end() }
    do { return try Self.$bound.withValue(self, operation: body) } catch {
      fail(error)
      throw error
    }
  }

  /// `body` as a part of `span`, in a task that knows of no span by itself.
  package static func resuming<T>(_ span: Span?, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> T) async rethrows
    -> T
  {
    guard let span else { return try await body() }
    return try await $bound.withValue(span, operation: body)
  }
}

extension Span {
  package func set(_ attributes: SpanAttributes) {
    let limits = tracer.limits
    record.withLock { $0?.attributes.add(attributes, limits: limits) }
  }

  package func event(_ name: String, _ attributes: SpanAttributes = [:]) {
    let limits = tracer.limits
    let time = time()
    record.withLock { $0?.add(name, at: time, attributes, limits) }
  }

  /// What it waits for is done as part of another trace or call.
  package func link(_ context: TraceContext, _ attributes: SpanAttributes = [:]) {
    let limits = tracer.limits
    record.withLock { $0?.add(context, attributes, limits) }
  }

  /// - Parameter isFailure: false where the fault is the caller's: the span tells of it and has not failed.
  package func fail(_ error: any Error, isFailure: Bool = true) {
    let fault = Fault(error)
    fail(fault.message, type: "\(fault.code)", isFailure: isFailure)
  }

  package func fail(_ message: String, type: String, isFailure: Bool = true) {
    event("exception", ["exception.type": .string(type), "exception.message": .string(message)])
    guard isFailure else { return }
    let length = tracer.limits.valueLength
    record.withLock { $0?.failure = String(message.prefix(length)) }
  }

  /// Once; afterwards nothing can be said any more.
  package func end() {
    let end = time()
    let ended = record.withLock { record -> SpanRecord? in
      defer { record = nil }
      return record
    }
    guard var ended else { return }
    ended.end = end
    tracer.ended(ended)
  }
}

extension SpanRecord {
  fileprivate init(
    _ context: TraceContext, _ parent: SpanID?, isRemote: Bool, _ name: String, _ kind: Kind, start: Int64, _ attributes: SpanAttributes,
    _ limits: SpanLimits
  ) {
    (self.context, self.parent, hasRemoteParent, self.name, self.kind, self.start) = (context, parent, isRemote, name, kind, start)
    self.attributes.add(attributes, limits: limits)
  }

  fileprivate mutating func add(_ name: String, at time: Int64, _ attributes: SpanAttributes, _ limits: SpanLimits) {
    guard events.count < limits.events else { return droppedEvents += 1 }
    events.append(Event(time: time, name: name, attributes: attributes.within(limits, limits.eventAttributes)))
  }

  fileprivate mutating func add(_ context: TraceContext, _ attributes: SpanAttributes, _ limits: SpanLimits) {
    guard links.count < limits.links else { return droppedLinks += 1 }
    links.append(Link(context: context, attributes: attributes.within(limits, limits.linkAttributes)))
  }
}

extension SpanAttributes {
  fileprivate func within(_ limits: SpanLimits, _ count: Int) -> SpanAttributes {
    var (limits, result) = (limits, SpanAttributes())
    limits.attributes = count
    result.add(self, limits: limits)
    return result
  }
}
