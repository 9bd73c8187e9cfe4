package import Core
package import GRPC

/// Counts calls by method and code, and how long they took. Streams count when they end.
package struct CallMetrics: GRPCInterceptor {
  static let calls = Measure(
    "berth_grpc_requests_total", .counter, "Calls that ended, by method and gRPC code.", labels: ["service", "method", "code"])
  static let seconds = Measure(
    "berth_grpc_request_seconds", .histogram, "How long unary and streaming calls took.", labels: ["service", "method"],
    bounds: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120])
  static let running = Measure("berth_grpc_requests_in_progress", .gauge, "Calls that run.", labels: ["service", "method"])

  static let received = Measure(
    "berth_grpc_messages_received_total", .counter, "Messages of clients that a call was made of.", labels: ["service", "method"])
  static let sent = Measure(
    "berth_grpc_messages_sent_total", .counter, "Messages that calls were answered with; those of streams count when they are sent.",
    labels: ["service", "method"])

  private let metrics: Metrics

  package init(_ metrics: Metrics) { self.metrics = metrics }

  package func intercept<R>(_ call: CallContext, _ next: () async throws -> R) async throws -> R {
    let labels = [String(call.service), String(call.method)]
    let start = ContinuousClock.now
    metrics.add(Self.running, labels: labels)
    metrics.add(Self.received, labels: labels)
    call.responses.onEach { [metrics] in metrics.add(Self.sent, labels: labels) }
    defer {
      metrics.add(Self.running, -1, labels: labels)
      metrics.observe(Self.seconds, since: start, labels: labels)
    }
    do {
      let result = try await next()
      metrics.add(Self.calls, labels: labels + ["\(GRPCStatus.Code.ok)"])
      return result
    } catch {
      metrics.add(Self.calls, labels: labels + ["\((error as? GRPCStatus)?.code ?? .unknown)"])
      throw error
    }
  }
}
