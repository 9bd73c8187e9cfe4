import Linux
package import Logging

/// Something to be done around every call that reaches a handler. The first of a server's interceptors is the outermost.
package protocol GRPCInterceptor: Sendable {
  /// Calls `next` once and passes on what it returns or throws, or throws something better.
  func intercept<R>(_ call: CallContext, _ next: () async throws -> R) async throws -> R
}

/// Logs each call once, when its handler ended: method, duration, code, and the message of a failure (cut at 1 KiB).
/// Good ones at debug, the caller's mistakes at info, ours at error.
package struct CallLog: GRPCInterceptor {
  private let logger: Logger

  package init(_ logger: Logger) { self.logger = logger }

  package func intercept<R>(_ call: CallContext, _ next: () async throws -> R) async throws -> R {
    let start = ContinuousClock.now
    do {
      let result = try await next()
      log(call, start, nil)
      return result
    } catch {
      log(call, start, GRPCStatus(error))
      throw error
    }
  }

  private func log(_ call: CallContext, _ start: ContinuousClock.Instant, _ status: GRPCStatus?) {
    let code = status?.code ?? .ok
    let level = Self.level(code)
    guard level >= logger.logLevel else { return }
    var metadata: Logger.Metadata = [
      "method": "\(call.path)", "code": "\(code)", "milliseconds": "\((ContinuousClock.now - start).nanoseconds / 1_000_000)",
    ]
    if let status { metadata["error"] = "\(status.message.prefix(1024))" }
    if let reason = call.cancellation.reason { metadata["cancelled"] = "\(reason)" }
    logger.log(level: level, "call", metadata: metadata)
  }

  private static func level(_ code: GRPCStatus.Code) -> Logger.Level {
    switch code {
    case .ok: .debug
    case .unknown, .internal, .dataLoss, .unavailable, .resourceExhausted: .error
    default: .info
    }
  }
}
