import Core
import Synchronization
import Testing

/// Keeps what it is given.
private final class Recorder: Tracer {
  let limits: SpanLimits
  let takesParents = true
  private let keeps: @Sendable (TraceContext?) -> Bool
  private let ended = Mutex<[SpanRecord]>([])

  init(_ limits: SpanLimits = SpanLimits(), keeps: @escaping @Sendable (TraceContext?) -> Bool = { $0?.isSampled ?? true }) {
    (self.limits, self.keeps) = (limits, keeps)
  }

  func samples(_ trace: TraceID, parent: TraceContext?) -> Bool { keeps(parent) }
  func ended(_ span: SpanRecord) { ended.withLock { $0.append(span) } }

  var spans: [SpanRecord] { ended.withLock { $0 } }
  subscript(name: String) -> SpanRecord? { spans.first { $0.name == name } }

  /// Runs `body` with this as the process's tracer.
  func whileInstalled(_ body: () async throws -> Void) async rethrows {
    Tracing.use(self)
    defer { Tracing.use(nil) }
    try await body()
  }
}

@Suite(.serialized) struct SpanTests {
  @Test func withoutATracerNothingIsMade() async {
    #expect(!Tracing.isOn)
    #expect(Span.root("call", .server) == nil)
    traced(
      "stage",
      {
        Issue.record("asked for attributes"); return [:]
      }()
    ) { #expect(Span.current == nil) }
    await tracedApart("other") { #expect(Span.current == nil) }
  }

  @Test func stagesAreChildrenOfWhatTheyAreWithin() async throws {
    let recorder = Recorder()
    try await recorder.whileInstalled {
      let root = try #require(Span.root("call", .server))
      await root.run {
        traced("outer", ["a": 1]) { traced("inner") { Span.current?.set(["b": "x", "none": nil]) } }
        await withTaskGroup(of: Void.self) { group in group.addTask { await traced("beside", as: .client) {} } }
      }
    }
    #expect(recorder.spans.map(\.name) == ["inner", "outer", "beside", "call"])
    let (call, outer, inner) = (try #require(recorder["call"]), try #require(recorder["outer"]), try #require(recorder["inner"]))
    #expect(call.parent == nil && outer.parent == call.context.span && inner.parent == outer.context.span)
    #expect(recorder["beside"]?.parent == call.context.span && recorder["beside"]?.kind == .client)
    #expect(Set(recorder.spans.map(\.context.trace)).count == 1)
    #expect(outer.attributes["a"] == 1 && inner.attributes["b"] == "x" && inner.attributes.list.count == 1)
    #expect(inner.start >= outer.start && inner.end <= outer.end && outer.end <= call.end && call.start > 0)
  }

  @Test func aFailureIsToldAndPassedOn() async throws {
    let recorder = Recorder()
    try await recorder.whileInstalled {
      let root = try #require(Span.root("call", .server))
      #expect(throws: Fault.self) { try root.run { try traced("stage") { throw Fault(.notFound, "not there") } } }
    }
    #expect(recorder["stage"]?.failure == "not there")
    #expect(recorder["stage"]?.events.first?.attributes["exception.type"] == "notFound")
  }

  @Test func aTraceThatIsNotRecordedIsPassedOnAndNothingElse() async throws {
    let recorder = Recorder()
    let parent = TraceContext(trace: .random(), span: .random(), isSampled: false, state: "a=1")
    try await recorder.whileInstalled {
      let root = try #require(Span.root("call", .server, parent: parent))
      root.run {
        traced("stage") {
          #expect(Span.current?.context.trace == parent.trace)
          #expect(Span.current?.context.isSampled == false && Span.current?.context.state == "a=1")
        }
      }
    }
    #expect(recorder.spans.isEmpty)
  }

  @Test func whatIsTooMuchIsCountedAndLeftOut() async throws {
    var limits = SpanLimits()
    (limits.attributes, limits.valueLength, limits.events, limits.links, limits.eventAttributes) = (2, 3, 2, 1, 1)
    let recorder = Recorder(limits)
    try await recorder.whileInstalled {
      let span = try #require(Span.root("call", .server, ["a": "12345", "b": 1, "c": 2]))
      span.set(["b": 7])
      for number in 0..<5 { span.event("e\(number)", ["x": 1, "y": 2]) }
      for _ in 0..<3 { span.link(span.context) }
      span.end()
      span.event("late")
      span.end()
    }
    let span = try #require(recorder.spans.first)
    #expect(recorder.spans.count == 1)
    #expect(span.attributes["a"] == "123" && span.attributes["b"] == 7 && span.attributes.dropped == 1)
    #expect(span.events.map(\.name) == ["e0", "e1"] && span.droppedEvents == 3 && span.events[0].attributes.dropped == 1)
    #expect(span.links.count == 1 && span.droppedLinks == 2)
  }

  @Test func aSpanMayHaveChildrenAfterItsEnd() async throws {
    let recorder = Recorder()
    try await recorder.whileInstalled {
      let call = try #require(Span.root("call", .server))
      call.end()
      call.child("session")?.end()
    }
    #expect(recorder["session"]?.parent == recorder["call"]?.context.span)
  }
}
