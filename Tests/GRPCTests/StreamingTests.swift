import GRPC
import Support
import SwiftProtobuf
import Synchronization
import Testing

@Suite struct StreamingTests {
  private typealias Bytes = Google_Protobuf_BytesValue
  private typealias Number = Google_Protobuf_Int64Value

  @Test func `A stream's messages arrive in order, none, one or many`() async throws {
    try await Server.with { server in
      try await server.client { client in
        for count in [0, 1, 10_000] {
          var seen: [Int64] = []
          for try await number in try client.serverStreaming("/berth.test.Echo/Count", Number(Int64(count)), returning: Number.self) {
            seen.append(number.value)
          }
          #expect(seen == Array(0..<Int64(count)))
        }
      }
    }
  }

  @Test func `A stream that fails delivers what came before, then the status`() async throws {
    try await Server.with { server in
      try await server.client { client in
        var seen = 0
        let failure = await status {
          for try await _ in try client.serverStreaming("/berth.test.Echo/CountThenFail", Number(5), returning: Number.self) { seen += 1 }
        }
        #expect(seen == 5)
        #expect(failure == GRPCStatus(.dataLoss, "after 5"))
      }
    }
  }

  @Test func `A slow reader stops the writer, and loses nothing`() async throws {
    try await Server.with { server in
      try await server.client { client in
        let responses = try client.serverStreaming("/berth.test.Echo/Flood", Number(500), returning: Bytes.self)
        var iterator = responses.makeAsyncIterator()
        _ = try await iterator.next()
        // The stream's window, what the socket takes, and the high-water marks on the way: far below the 50 MB there are.
        #expect(await plateau(server) < 200)
        var count = 1
        while let message = try await iterator.next() {
          #expect(message.value.count == 100_000 && message.value.first == UInt8(truncatingIfNeeded: count))
          count += 1
        }
        #expect(count == 500)
      }
    }
  }

  /// Waits until nothing was written for a while; what was written by then.
  private func plateau(_ server: Server) async -> Int {
    var (last, looks) = (0, 0)
    _ = await eventually {
      let now = server.echo.written.withLock { $0 }
      looks = now == last ? looks + 1 : 0
      last = now
      return looks > 100 && now > 50
    }
    return last
  }

  @Test func `Dropping a stream, or cancelling its reader, cancels the handler`() async throws {
    try await Server.with { server in
      try await server.client { client in
        do { _ = try client.serverStreaming("/berth.test.Echo/HangOpen", Google_Protobuf_Empty(), returning: Google_Protobuf_Empty.self) }
        let responses = try client.serverStreaming(
          "/berth.test.Echo/HangOpen", Google_Protobuf_Empty(), returning: Google_Protobuf_Empty.self)
        let reader = Task { await status { for try await _ in responses {} } }
        #expect(await eventually { server.echo.running.withLock { $0 } == 1 })
        reader.cancel()
        #expect(await reader.value?.code == .cancelled)
        #expect(await eventually { server.echo.running.withLock { $0 } == 0 })
      }
    }
  }

  @Test func `A deadline ends a stream`() async throws {
    try await Server.with { server in
      try await server.client { client in
        let responses = try client.serverStreaming(
          "/berth.test.Echo/HangOpen", Google_Protobuf_Empty(), returning: Google_Protobuf_Empty.self, timeout: .milliseconds(50))
        let failure = await status { for try await _ in responses {} }
        #expect(failure?.code == .deadlineExceeded)
        #expect(await eventually { server.echo.cancelled.withLock { $0.count } == 1 })
      }
    }
  }

  @Test func `Health is checked and watched`() async throws {
    try await Server.with { server in
      try await server.client { client in
        let check = "/grpc.health.v1.Health/Check"
        // HealthCheckRequest and StringValue have one wire format, and so have HealthCheckResponse and Int64Value.
        for name in ["", "berth.test.Echo"] {
          let known = try await client.unary(check, Google_Protobuf_StringValue(name), returning: Number.self).value
          #expect(known == 1)
        }
        #expect(
          await status { try await client.unary(check, Google_Protobuf_StringValue("nope"), returning: Number.self) }?.code == .notFound)
        var watch = try client.serverStreaming("/grpc.health.v1.Health/Watch", Google_Protobuf_StringValue(""), returning: Number.self)
          .makeAsyncIterator()
        let first = try await watch.next()?.value
        #expect(first == 1)
        server.health.set(serving: false)
        let second = try await watch.next()?.value
        #expect(second == 2)
        let now = try await client.unary(check, Google_Protobuf_StringValue(""), returning: Number.self).value
        #expect(now == 2)
        server.health.set(serving: true)
        let third = try await watch.next()?.value
        #expect(third == 1)
      }
    }
  }
}
