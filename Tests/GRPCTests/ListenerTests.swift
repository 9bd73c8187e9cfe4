import GRPC
import Linux
import Logging
import Support
import SwiftProtobuf
import Synchronization
import Testing

/// The socket's file, connections, and the interceptors.
@Suite struct ListenerTests {
  private func start(_ path: String, mode: UInt32 = 0o660) async throws -> GRPCServer {
    try await GRPCServer.start(
      GRPCServerConfiguration(unixSocket: path, mode: mode), services: [EchoService()], logger: Logger(label: "test"))
  }

  @Test(arguments: [0o660, 0o600, 0o666] as [UInt32])
  func `The socket has exactly the mode it was given, and is gone after shutdown`(_ mode: UInt32) async throws {
    try await withScratch { directory in
      let server = try await start(directory + "/s", mode: mode)
      let found = try await Command.run("/usr/bin/stat", ["-c", "%a", directory + "/s"], timeout: .seconds(10)).stdout
      await server.shutdown(grace: .zero)
      #expect(String(decoding: found, as: UTF8.self) == String(mode, radix: 8) + "\n")
      #expect(!Files.exists(directory + "/s"))
    }
  }

  @Test func `A stale socket is replaced, one that answers is not, a file never`() async throws {
    try await withScratch { directory in
      let path = directory + "/s"
      let (descriptor, _) = try UnixSocketFile.listen(path, mode: 0o600)
      let refused = await status { try await start(path) }
      #expect(refused?.message.contains("Address already in use") == true)
      _ = FileHandle(owning: descriptor)
      let server = try await start(path)
      let client = try await GRPCClient.connect(unixSocket: path)
      try await expectAnswer(client)
      await client.close()
      await server.shutdown(grace: .zero)
      try Files.write([1], to: path)
      let file = await status { try await start(path) }
      #expect(file?.message.contains("File exists") == true)
      try Files.remove(path)
    }
  }

  @Test func `A server that was replaced leaves its successor's socket alone`() async throws {
    try await withScratch { directory in
      let path = directory + "/s"
      let old = try await start(path)
      try Files.remove(path)
      let new = try await start(path)
      await old.shutdown(grace: .zero)
      let client = try await GRPCClient.connect(unixSocket: path)
      try await expectAnswer(client)
      await client.close()
      await new.shutdown(grace: .zero)
    }
  }

  @Test func `TCP on the loopback works as well`() async throws {
    let server = try await GRPCServer.start(
      GRPCServerConfiguration(.loopback(port: 0)), services: [EchoService()], logger: Logger(label: "test"))
    let client = try await GRPCClient.connect(port: server.port!)
    try await expectAnswer(client)
    await client.close()
    await server.shutdown(grace: .zero)
  }

  private final class Recorder: GRPCInterceptor {
    let calls = Mutex<[String]>([])

    func intercept<R>(_ call: CallContext, _ next: () async throws -> R) async throws -> R {
      do {
        let result = try await next()
        calls.withLock { $0.append("\(call.path) OK") }
        return result
      } catch {
        calls.withLock { $0.append("\(call.path) \(GRPCStatus(error).code)") }
        throw GRPCStatus(GRPCStatus(error).code, "seen: \(GRPCStatus(error).message)")
      }
    }
  }

  @Test func `Interceptors see every call and may change its error`() async throws {
    let recorder = Recorder()
    try await Server.with(interceptors: [CallLog(Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }), recorder]) { server in
      try await server.client { client in
        try await expectAnswer(client)
        let failure = await status {
          try await client.unary("/berth.test.Echo/Fail", Google_Protobuf_StringValue("ABORTED x"), returning: Google_Protobuf_Empty.self)
        }
        #expect(failure == GRPCStatus(.aborted, "seen: x"))
      }
    }
    #expect(recorder.calls.withLock { $0 } == ["/berth.test.Echo/Echo OK", "/berth.test.Echo/Fail ABORTED"])
  }

  @Test func `Connections that come and go leave no descriptor behind`() async throws {
    try await Server.with { server in
      try await server.client { try await expectAnswer($0) }
      let before = try Files.list("/proc/self/fd").count
      for _ in 0..<100 { try await server.client { try await expectAnswer($0) } }
      #expect(try await eventually { try Files.list("/proc/self/fd").count <= before })
    }
  }
}
