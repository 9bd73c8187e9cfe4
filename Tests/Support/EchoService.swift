package import GRPC
import SwiftProtobuf
package import Synchronization

/// A service for tests of the transport, on well-known message types.
package final class EchoService: GRPCService {
  package let name = "berth.test.Echo"
  /// Handlers that run now, and contexts of cancelled ones, oldest first.
  package let running = Mutex(0)
  package let cancelled = Mutex<[CallCancellation.Reason?]>([])
  /// Messages that ``Flood`` has written.
  package let written = Mutex(0)

  package init() {}

  package var methods: [GRPCMethod] {
    [
      .unary("Echo") { (request: Google_Protobuf_BytesValue, _) in request },
      .unary("Metadata") { (request: Google_Protobuf_StringValue, context) in
        Google_Protobuf_StringValue(context.metadata.values(request.value).joined(separator: "|"))
      },
      .unary("Fail") { (request: Google_Protobuf_StringValue, _) -> Google_Protobuf_Empty in throw Self.failure(request.value) },
      .unary("Hang") { (_: Google_Protobuf_Empty, context) -> Google_Protobuf_Empty in try await self.hang(context) },
      .unary("Slow") { (request: Google_Protobuf_Int64Value, _) in
        self.running.withLock { $0 += 1 }
        try await Task.sleep(for: .milliseconds(request.value))
        return request
      },
      .unary("Big") { (request: Google_Protobuf_Int64Value, _) in
        Google_Protobuf_BytesValue.with { $0.value = Self.filled(7, count: Int(request.value)) }
      },
      .serverStreaming("Count") { (request: Google_Protobuf_Int64Value, _, writer) in
        for number in 0..<request.value { try await writer.write(Google_Protobuf_Int64Value(number)) }
      },
      .serverStreaming("CountThenFail") { (request: Google_Protobuf_Int64Value, _, writer) in
        for number in 0..<request.value { try await writer.write(Google_Protobuf_Int64Value(number)) }
        throw GRPCStatus(.dataLoss, "after \(request.value)")
      },
      .serverStreaming("HangOpen") { (_: Google_Protobuf_Empty, context, writer: GRPCResponseWriter<Google_Protobuf_Empty>) in
        try await writer.open()
        _ = try await self.hang(context)
      },
      .serverStreaming("Flood") { (request: Google_Protobuf_Int64Value, _, writer) in
        for number in 0..<request.value {
          let bytes = Google_Protobuf_BytesValue.with { $0.value = Self.filled(UInt8(truncatingIfNeeded: number), count: 100_000) }
          try await writer.write(bytes)
          self.written.withLock { $0 += 1 }
        }
      },
    ]
  }

  /// All at once, by the type's own way: what is appended goes byte by byte in debug builds.
  package static func filled<Bytes: RangeReplaceableCollection<UInt8>>(_ byte: UInt8, count: Int) -> Bytes {
    Bytes(repeating: byte, count: count)
  }

  /// `CODE text`, or an error the transport knows nothing of.
  private static func failure(_ text: String) -> any Error {
    struct Unknown: Error, CustomStringConvertible { var description: String }
    let parts = text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let code = GRPCStatus.Code.allCases.first { "\($0)" == parts[0] }
    return code.map { GRPCStatus($0, parts.count > 1 ? parts[1] : "") } ?? Unknown(description: text)
  }

  private func hang(_ context: CallContext) async throws -> Google_Protobuf_Empty {
    running.withLock { $0 += 1 }
    defer {
      running.withLock { $0 -= 1 }
      cancelled.withLock { $0.append(context.cancellation.reason) }
    }
    try await Task.sleep(for: .seconds(3600))
    return Google_Protobuf_Empty()
  }
}

/// Waits until `condition` holds; false after `timeout`.
package func eventually(_ timeout: Duration = .seconds(10), _ condition: () throws -> Bool) async rethrows -> Bool {
  let end = ContinuousClock.now + timeout
  while ContinuousClock.now < end {
    if try condition() { return true }
    try? await Task.sleep(for: .milliseconds(2))
  }
  return try condition()
}
