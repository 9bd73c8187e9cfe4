import Core
import Logging
import Support
import Synchronization
import Testing

@testable import Traces

/// A collector made of answers; the last one stays.
private final class Answers: TraceExporter {
  enum Answer { case outcome(ExportOutcome), hang }

  private let answers: Mutex<[Answer]>
  let batches = Mutex<[Int]>([])

  init(_ answers: Answer...) { self.answers = Mutex(answers) }

  func send(_ request: OTLPExportRequest, timeout: Duration) async -> ExportOutcome {
    batches.withLock { $0.append(request.resourceSpans[0].scopeSpans[0].spans.count) }
    switch answers.withLock({ $0.count > 1 ? $0.removeFirst() : $0[0] }) {
    case .outcome(let outcome): return outcome
    case .hang:
      try? await Task.sleep(for: .seconds(3600))
      return .later(after: nil, reason: "hung")
    }
  }

  func close() async {}
}

@Suite(.serialized) struct TracePipelineTests {
  private static let taken = Answers.Answer.outcome(.taken(rejected: 0, message: ""))

  private func pipeline(_ exporter: Answers, _ metrics: Metrics = Metrics(), change: (inout TraceSettings) -> Void) -> TracePipeline {
    var settings = TraceSettings(TraceEndpoint(.host("c", port: 1), isSecure: false), .grpc)
    settings.delay = .zero
    change(&settings)
    let pipeline = TracePipeline(settings, exporter, metrics: metrics, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    pipeline.begin()
    return pipeline
  }

  /// Ends `count` spans.
  private func spans(_ count: Int, to pipeline: TracePipeline) throws {
    Tracing.use(pipeline)
    defer { Tracing.use(nil) }
    for _ in 0..<count { try #require(Span.root("call", .server)).end() }
  }

  private func value(_ measure: Measure, _ labels: [String], in metrics: Metrics) async -> Double {
    await metrics.collect().first { $0.measure == measure }?.samples.first { $0.labels == labels }?.value ?? 0
  }

  @Test func manySpansGoInBatchesAndAllArrive() async throws {
    let (answers, metrics) = (Answers(Self.taken), Metrics())
    let pipeline = pipeline(answers, metrics) { ($0.batch, $0.delay) = (10, .seconds(3600)) }
    try spans(35, to: pipeline)
    #expect(await eventually { answers.batches.withLock { $0.reduce(0, +) } == 30 })
    await pipeline.shutdown(limit: .seconds(10))
    #expect(answers.batches.withLock { $0 } == [10, 10, 10, 5])
    #expect(await value(.spansSent, [], in: metrics) == 35)
  }

  @Test func aCollectorThatHangsCostsSpansAndNothingElse() async throws {
    let (answers, metrics) = (Answers(.hang), Metrics())
    let pipeline = pipeline(answers, metrics) { ($0.batch, $0.capacity, $0.delay) = (5, 20, .seconds(3600)) }
    try spans(5, to: pipeline)
    #expect(await eventually { answers.batches.withLock { $0.count } == 1 })
    try spans(1000, to: pipeline)
    #expect(await value(.spansDropped, ["queue"], in: metrics) == 980)
    #expect(await value(.spansWaiting, [], in: metrics) == 20)
    await pipeline.shutdown(limit: .milliseconds(50))
    #expect(await value(.spansDropped, ["shutdown"], in: metrics) == 20)
    try spans(1, to: pipeline)
    #expect(await value(.spansDropped, ["queue"], in: metrics) == 981)
  }

  @Test func whatIsPutOffIsSentAgainAndWhatIsRefusedIsNot() async throws {
    let (answers, metrics) = (
      Answers(
        .outcome(.later(after: .milliseconds(1), reason: "503")), Self.taken, .outcome(.refused(reason: "400")),
        .outcome(.taken(rejected: 2, message: "too old")), Self.taken), Metrics()
    )
    let pipeline = pipeline(answers, metrics) { ($0.batch, $0.delay) = (3, .seconds(3600)) }
    for sent in [2, 3, 4] {
      try spans(3, to: pipeline)
      #expect(await eventually { answers.batches.withLock { $0.count } == sent })
    }
    await pipeline.shutdown(limit: .seconds(10))
    #expect(answers.batches.withLock { $0 } == [3, 3, 3, 3])
    #expect(await value(.spansSent, [], in: metrics) == 4)
    #expect(await value(.spansDropped, ["export"], in: metrics) == 3)
    #expect(await value(.spansDropped, ["rejected"], in: metrics) == 2)
  }

  @Test func aBatchThatNobodyTakesInTimeIsDropped() async throws {
    let (answers, metrics) = (Answers(.hang, Self.taken), Metrics())
    let pipeline = pipeline(answers, metrics) { ($0.batch, $0.timeout, $0.patience) = (1, .milliseconds(5), .milliseconds(20)) }
    try spans(1, to: pipeline)
    #expect(await eventually { answers.batches.withLock { $0.count } == 1 })
    try spans(1, to: pipeline)
    await pipeline.shutdown(limit: .seconds(10))
    #expect(await value(.spansDropped, ["export"], in: metrics) == 1)
    #expect(await value(.spansSent, [], in: metrics) == 1)
  }
}

@Suite struct ExportCourseTests {
  private let now = ContinuousClock.now

  private func course() -> ExportCourse { ExportCourse(patience: .seconds(30), began: now) }
  private func later(_ after: Duration? = nil) -> ExportOutcome { .later(after: after, reason: "busy") }

  @Test func pausesGrowAndAreNeverTheSame() {
    var course = course()
    for seconds in [1.0, 2, 4, 8] {
      guard case .pause(let pause) = course.next(after: later(), now: now, isClosing: false) else {
        Issue.record("no pause")
        return
      }
      #expect(pause >= .seconds(seconds / 2) && pause <= .seconds(seconds))
    }
  }

  @Test func theCollectorSaysHowLong() {
    var course = course()
    #expect(course.next(after: later(.seconds(7)), now: now, isClosing: false) == .pause(.seconds(7)))
  }

  @Test func noPauseGoesBeyondTheEnd() {
    var course = course()
    #expect(course.next(after: later(.seconds(31)), now: now, isClosing: false) == .failed(reason: "busy"))
    #expect(course.next(after: later(), now: now + .seconds(30), isClosing: false) == .failed(reason: "busy"))
    #expect(course.next(after: later(), now: now, isClosing: true) == .failed(reason: "busy"))
  }
}

@Suite struct SamplerTests {
  private let sampled = TraceContext(trace: .random(), span: .random(), isSampled: true)
  private let unsampled = TraceContext(trace: .random(), span: .random(), isSampled: false)

  @Test func aParentsDecisionCountsWhereItIsFollowed() {
    for choice in [Sampler.Choice.all, .none, .share(0.5)] {
      #expect(Sampler(choice).samples(.random(), parent: sampled))
      #expect(!Sampler(choice).samples(.random(), parent: unsampled))
    }
    #expect(Sampler(.all, followsParent: false).samples(.random(), parent: unsampled))
    #expect(!Sampler(.none, followsParent: false).samples(.random(), parent: sampled))
  }

  @Test func aShareIsTheSameForTheSameTrace() throws {
    let half = Sampler(.share(0.5))
    #expect(half.samples(try #require(TraceID(high: .max, low: 0)), parent: nil))
    #expect(half.samples(try #require(TraceID(high: 1, low: 1 << 63 - 1)), parent: nil))
    #expect(!half.samples(try #require(TraceID(high: 1, low: 1 << 63)), parent: nil))
    #expect(!Sampler(.share(0)).samples(try #require(TraceID(high: 1, low: 0)), parent: nil))
    #expect(Sampler(.share(1)).samples(try #require(TraceID(high: 1, low: .max)), parent: nil))
    let count = (0..<20_000).count { _ in Sampler(.share(0.1)).samples(.random(), parent: nil) }
    #expect((1500..<2500).contains(count))
  }
}
