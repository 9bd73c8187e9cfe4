package import Core
package import Logging
package import NIOCore
import Synchronization

/// Traces on their way from the spans' ends to a collector: a bounded queue and one sender. What is slow or broken on the way costs spans, which
/// are counted, and nobody's time.
package final class TracePipeline: Tracer {
  package let limits: SpanLimits
  package let takesParents: Bool
  private let settings: TraceSettings
  private let exporter: any TraceExporter
  private let metrics: Metrics
  private let logger: Logger
  private let queue: Mutex<SpanQueue>
  private let bell = Bell()
  private let sender = Mutex<Task<Void, Never>?>(nil)
  /// Whether the last batch was taken: what is said of it is said when that changes.
  private let works = Mutex(true)

  /// FAILED_PRECONDITION where a file that TLS needs cannot be used.
  package static func start(_ settings: TraceSettings, group: any EventLoopGroup, metrics: Metrics, logger: Logger) throws -> TracePipeline
  {
    let trust = LoadedTrust(settings.trust, protocols: settings.wire == .grpc ? ["h2"] : [])
    if settings.endpoint.isSecure { _ = try trust.context() }
    let exporter: any TraceExporter =
      settings.wire == .grpc ? GRPCTraceExporter(settings, trust, group: group) : HTTPTraceExporter(settings, trust, group: group)
    let pipeline = TracePipeline(settings, exporter, metrics: metrics, logger: logger)
    pipeline.begin()
    return pipeline
  }

  init(_ settings: TraceSettings, _ exporter: any TraceExporter, metrics: Metrics, logger: Logger) {
    (limits, takesParents) = (settings.limits, settings.takesParents)
    (self.settings, self.exporter, self.metrics, self.logger) = (settings, exporter, metrics, logger)
    queue = Mutex(SpanQueue(capacity: settings.capacity, batch: settings.batch))
    metrics.gauge(.spansWaiting) { [weak self] in
      [Metrics.Sample(labels: [], value: Double(self?.queue.withLock { $0.count } ?? 0))]
    }
  }

  func begin() {
    let task = Task.detached(priority: .utility) { [self] in await run() }
    sender.withLock { $0 = task }
  }

  package func samples(_ trace: TraceID, parent: TraceContext?) -> Bool { settings.sampler.samples(trace, parent: parent) }

  package func ended(_ span: SpanRecord) {
    switch queue.withLock({ $0.add(span) }) {
    case .nothing: break
    case .wake: bell.ring()
    case .drop: drop(1, "queue")
    }
  }

  /// Sends what waits, for no longer than `limit`, and takes no more.
  package func shutdown(limit: Duration) async {
    queue.withLock { $0.close() }
    bell.ring()
    let task = sender.withLock { $0 }
    let isOver = await Bounded.wait(limit) { await task?.value }
    task?.cancel()
    let left = queue.withLock { $0.count }
    if left > 0 {
      drop(left, "shutdown")
      logger.warning("traces: \(left) spans could not be sent before the end")
    }
    // What hangs is left to the process's end.
    if isOver { await exporter.close() }
  }

  private func run() async {
    while !Task.isCancelled {
      let (isEmpty, isClosed) = queue.withLock { ($0.count == 0, $0.isClosed) }
      if isEmpty {
        if isClosed { return }
        await bell.wait()
      } else {
        await gather()
        await send(queue.withLock { $0.take() })
      }
    }
  }

  /// Waits until there is a batch, but no longer than a span may wait.
  private func gather() async {
    let until = ContinuousClock.now + settings.delay
    while !queue.withLock({ $0.hasBatch || $0.isClosed }), .now < until { await bell.wait(until - .now) }
  }

  private func drop(_ count: Int, _ reason: String) { metrics.add(.spansDropped, Double(count), labels: [reason]) }
}

extension TracePipeline {
  private func send(_ spans: [SpanRecord]) async {
    guard !spans.isEmpty else { return }
    let request = OTLPExportRequest(spans, resource: settings.resource)
    var course = ExportCourse(patience: settings.patience, began: .now)
    while true {
      let outcome = await attempt(request, course)
      switch course.next(after: outcome, now: .now, isClosing: queue.withLock { $0.isClosed } || Task.isCancelled) {
      case .taken(let rejected, let message): return taken(spans.count, rejected: Int(clamping: rejected), message)
      case .failed(let reason): return failed(spans.count, reason)
      case .pause(let pause): try? await Task.sleep(for: pause)
      }
    }
  }

  private func attempt(_ request: OTLPExportRequest, _ course: ExportCourse) async -> ExportOutcome {
    let (exporter, timeout) = (exporter, max(.milliseconds(1), min(settings.timeout, course.left(.now))))
    do { return try await limited(to: timeout) { await exporter.send(request, timeout: timeout) } } catch {
      return .later(after: nil, reason: "no answer: \(error)")
    }
  }

  private func taken(_ count: Int, rejected: Int, _ message: String) {
    let rejected = max(0, min(rejected, count))
    metrics.add(.spansSent, Double(count - rejected))
    if rejected > 0 { drop(rejected, "rejected") }
    if rejected > 0 || !message.isEmpty {
      logger.warning("traces: the collector says: \(message.prefix(300))", metadata: ["rejected": "\(rejected)"])
    }
    if change(works: true) { logger.notice("traces are sent again", metadata: ["endpoint": "\(settings.endpoint.display)"]) }
  }

  private func failed(_ count: Int, _ reason: String) {
    drop(count, "export")
    guard change(works: false) else { return }
    logger.warning("traces cannot be sent", metadata: ["endpoint": "\(settings.endpoint.display)", "error": "\(reason.prefix(500))"])
  }

  private func change(works now: Bool) -> Bool {
    works.withLock { works in
      defer { works = now }
      return works != now
    }
  }
}
