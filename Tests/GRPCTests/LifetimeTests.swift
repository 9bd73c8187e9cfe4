import GRPC
import Linux
import Support
import SwiftProtobuf
import Synchronization
import Testing

/// Deadlines, cancellation, disconnects, shutdown.
@Suite struct LifetimeTests {
  private typealias Empty = Google_Protobuf_Empty
  private typealias Number = Google_Protobuf_Int64Value
  private static let hang = "/berth.test.Echo/Hang"

  @Test func `A deadline ends the waiter with DEADLINE_EXCEEDED and cancels the handler`() async throws {
    try await Server.with { server in
      try await server.client { client in
        let failure = await status { try await client.unary(Self.hang, Empty(), returning: Empty.self, timeout: .milliseconds(50)) }
        #expect(failure?.code == .deadlineExceeded)
        #expect(failure?.message.contains(Self.hang) == true)
        #expect(await eventually { server.echo.running.withLock { $0 } == 0 && server.echo.cancelled.withLock { $0.count } == 1 })
        #expect([.deadline, .reset].contains(server.echo.cancelled.withLock { $0[0] }))
      }
    }
  }

  @Test func `Cancelling the caller's task resets the stream and cancels the handler`() async throws {
    try await Server.with { server in
      try await server.client { client in
        let call = Task { await status { try await client.unary(Self.hang, Empty(), returning: Empty.self) } }
        #expect(await eventually { server.echo.running.withLock { $0 } == 1 })
        call.cancel()
        #expect(await call.value?.code == .cancelled)
        #expect(await eventually { server.echo.cancelled.withLock { $0 } == [.reset] })
        _ = try await client.unary("/berth.test.Echo/Echo", Google_Protobuf_BytesValue(), returning: Google_Protobuf_BytesValue.self)
      }
    }
  }

  @Test func `A call made in a cancelled task does not start`() async throws {
    try await Server.with { server in
      try await server.client { client in
        let call = Task {
          while !Task.isCancelled { await Task.yield() }
          return await status { try await client.unary(Self.hang, Empty(), returning: Empty.self) }
        }
        call.cancel()
        #expect(await call.value?.code == .cancelled)
        #expect(server.echo.running.withLock { $0 } == 0)
      }
    }
  }

  @Test func `A disconnect cancels the handler, and fails the client's calls with UNAVAILABLE`() async throws {
    try await Server.with { server in
      let client = try await GRPCClient.connect(unixSocket: server.path)
      let call = Task { await status { try await client.unary(Self.hang, Empty(), returning: Empty.self) } }
      #expect(await eventually { server.echo.running.withLock { $0 } == 1 })
      await client.close()
      #expect(await call.value == GRPCStatus(.unavailable, "\(server.path): closed by the client"))
      #expect(await eventually { server.echo.cancelled.withLock { $0.count } == 1 })
      let late = await status { try await client.unary(Self.hang, Empty(), returning: Empty.self) }
      #expect(late?.code == .unavailable)
    }
  }

  @Test func `Shutdown lets running calls finish within the grace, and refuses new ones`() async throws {
    try await Server.with { server in
      let client = try await GRPCClient.connect(unixSocket: server.path)
      let slow = Task { try await client.unary("/berth.test.Echo/Slow", Number(300), returning: Number.self).value }
      #expect(await eventually { server.echo.running.withLock { $0 } == 1 })
      let down = Task { await server.server.shutdown(grace: .seconds(20)) }
      #expect(await eventually { !Files.exists(server.path) })
      let finished = try await slow.value
      #expect(finished == 300)
      await down.value
      let late = await status { try await client.unary(Self.hang, Empty(), returning: Empty.self) }
      #expect(late?.code == .unavailable)
      let gone = await status { try await GRPCClient.connect(unixSocket: server.path) }
      #expect(gone?.code == .unavailable)
    }
  }

  @Test func `Shutdown ends what outlives the grace with UNAVAILABLE, streams at once`() async throws {
    try await Server.with { server in
      let client = try await GRPCClient.connect(unixSocket: server.path)
      let unary = Task { await status { try await client.unary(Self.hang, Empty(), returning: Empty.self) } }
      let responses = try client.serverStreaming("/berth.test.Echo/HangOpen", Empty(), returning: Empty.self)
      let stream = Task { await status { for try await _ in responses {} } }
      #expect(await eventually { server.echo.running.withLock { $0 } == 2 })
      let start = ContinuousClock.now
      let down = Task { await server.server.shutdown(grace: .milliseconds(400)) }
      #expect(await stream.value?.code == .unavailable)
      #expect(await unary.value?.code == .unavailable)
      #expect(ContinuousClock.now - start >= .milliseconds(350))
      await down.value
      #expect(await eventually { server.echo.cancelled.withLock { $0 } == [.shutdown, .shutdown] })
    }
  }

  @Test func `A client of nobody says so`() async throws {
    let missing = await status { try await GRPCClient.connect(unixSocket: "/nonexistent/berth.sock") }
    #expect(missing == GRPCStatus(.unavailable, "connect /nonexistent/berth.sock: No such file or directory: is berthd running?"))
    let long = await status { try await GRPCClient.connect(unixSocket: "/" + String(repeating: "x", count: 200)) }
    #expect(long?.code == .unavailable)
  }
}
