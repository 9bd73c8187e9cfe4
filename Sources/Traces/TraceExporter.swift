import Core
import SwiftProtobuf

/// What a collector answered.
enum ExportOutcome: Sendable, Equatable {
  /// It has the batch, but for so many spans that it will never take; a text for whoever runs this.
  case taken(rejected: Int64, message: String)
  /// Not now; after so long where the collector said.
  case later(after: Duration?, reason: String)
  /// Never.
  case refused(reason: String)
}

/// Brings batches to a collector.
protocol TraceExporter: Sendable {
  func send(_ request: OTLPExportRequest, timeout: Duration) async -> ExportOutcome
  func close() async
}

extension ExportOutcome {
  init(_ response: OTLPExportResponse) {
    self = .taken(rejected: response.partialSuccess.rejectedSpans, message: response.partialSuccess.errorMessage)
  }
}

extension OTLPRefusal {
  /// When the batch may be sent again; `nil` where the collector did not say that it may.
  var retryDelay: Duration? {
    for detail in details where detail.typeURL.hasSuffix("/google.rpc.RetryInfo") {
      guard let info = try? OTLPRetryInfo(serializedBytes: detail.value) else { continue }
      return .seconds(max(0, min(info.delay.seconds, 86400))) + .nanoseconds(Int64(max(0, min(info.delay.nanos, 999_999_999))))
    }
    return nil
  }
}
