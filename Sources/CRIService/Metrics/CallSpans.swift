import Core
package import GRPC

/// Makes each call a span, below the one that its caller names (`traceparent`).
package struct CallSpans: GRPCInterceptor {
  package init() {}

  package func intercept<R>(_ call: CallContext, _ next: () async throws -> R) async throws -> R {
    let parent = TraceContext(parents: call.metadata.values("traceparent"), states: call.metadata.values("tracestate"))
    let span = Span.root(
      "\(call.service)/\(call.method)", .server, parent: parent,
      ["rpc.system": "grpc", "rpc.service": .string(String(call.service)), "rpc.method": .string(String(call.method))])
    guard let span else { return try await next() }
    return try await Span.resuming(span) {
      do {
        let result = try await next()
        end(span, .ok, call)
        return result
      } catch {
        let status = GRPCStatus(error)
        span.fail(status.message, type: "\(status.code)", isFailure: status.code.isServersFault)
        end(span, status.code, call)
        throw error
      }
    }
  }

  private func end(_ span: Span, _ code: GRPCStatus.Code, _ call: CallContext) {
    span.set(["rpc.grpc.status_code": .int(Int64(code.rawValue))])
    if let reason = call.cancellation.reason { span.set(["berth.cancelled": "\(reason)"]) }
    span.end()
  }
}

extension GRPCStatus.Code {
  /// As OpenTelemetry's conventions for gRPC servers have it; the others are their callers' mistakes.
  fileprivate var isServersFault: Bool {
    switch self {
    case .unknown, .deadlineExceeded, .unimplemented, .internal, .unavailable, .dataLoss: true
    default: false
    }
  }
}
