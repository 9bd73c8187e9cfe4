import CLinux
import FoundationEssentials
import Linux
import NIOCore
import NIOPosix
import ShimAPI
import Support
import SwiftProtobuf
import TTRPC
import Testing

private typealias Question = Containerd_Task_V3_StateRequest
private typealias Answer = Containerd_Task_V3_StateResponse

/// The server's side, by our own client and by ones that know nothing of the protocol.
@Suite(.timeLimit(.minutes(1))) struct TTRPCServerTests {
  private static let methods = [
    TTRPCMethod("a.Service", "State") { (question: Question) in Answer.with { $0.bundle = "for \(question.id)" } },
    TTRPCMethod("a.Service", "Kill") { (_: Question) -> Answer in throw TTRPCError(.remote, code: 9, "it is dead") },
    TTRPCMethod("a.Service", "Pause") { (_: Question) -> Answer in throw CancellationError() },
  ]

  private func serving(_ body: (String, TTRPCServer) async throws -> Void) async throws {
    try await withScratch("ttrpc") { scratch in
      let path = scratch + "/s.sock"
      let server = try await TTRPCServer.start(path, methods: Self.methods)
      do { try await body(path, server) } catch {
        await server.shutdown()
        throw error
      }
      await server.shutdown()
      #expect(!Files.exists(path) && server.connections == 0)
    }
  }

  private func connect(_ path: String) throws -> FileHandle { try UnixSocket.connect(in: Files.parent(of: path), name: "s.sock") }

  private func client(_ path: String) async throws -> TTRPCClient {
    try await TTRPCClient.adopt(socket: try connect(path).release())
  }

  private func ask(_ client: TTRPCClient, _ id: String) async throws -> String {
    let answer: Answer = try await client.call("a.Service", "State", Question.with { $0.id = id })
    return answer.bundle
  }

  @Test func `calls of several connections are answered, and the socket is only its owner's`() async throws {
    try await serving { path, server in
      let mode = try await Command.run("/usr/bin/stat", ["-c", "%a", path], timeout: .seconds(10)).stdout
      #expect(mode == Array("600\n".utf8))
      let clients = try await [client(path), client(path), client(path)]
      for number in 0..<20 { for client in clients { #expect(try await ask(client, "\(number)") == "for \(number)") } }
      let calls = (0..<50).map { number in Task { try await ask(clients[number % 3], "\(number)") } }
      for (number, call) in calls.enumerated() { #expect(try await call.value == "for \(number)") }
      #expect(server.connections == 3)
      for client in clients { client.close() }
      for _ in 0..<200 where server.connections > 0 { try await Task.sleep(for: .milliseconds(10)) }
      #expect(server.connections == 0)
    }
  }

  @Test func `errors of handlers are answers, and what is not served is UNIMPLEMENTED`() async throws {
    try await serving { path, _ in
      let client = try await client(path)
      func failure(_ method: String) async -> TTRPCError? {
        do throws(TTRPCError) {
          let _: Answer = try await client.call("a.Service", method, Question())
          return nil
        } catch { return error }
      }
      #expect(await failure("Kill") == TTRPCError(.remote, code: 9, "it is dead"))
      #expect(await failure("Pause")?.code == 2)
      #expect(await failure("Resume")?.code == 12)
      #expect(try await ask(client, "x") == "for x")
      client.close()
    }
  }

  private static func frame(_ stream: UInt32, _ kind: UInt8 = 1, flags: UInt8 = 0, _ payload: [UInt8] = [], length: UInt32? = nil)
    -> [UInt8]
  {
    var buffer = ByteBuffer()
    buffer.writeMultipleIntegers(length ?? UInt32(payload.count), stream, kind, flags)
    return Array(buffer.readableBytesView) + payload
  }

  private static func request(_ method: String, flags: UInt8 = 0, stream: UInt32 = 1, _ payload: [UInt8] = []) throws -> [UInt8] {
    let message = Ttrpc_Request.with { ($0.service, $0.method, $0.payload) = ("a.Service", method, .init(payload)) }
    return frame(stream, flags: flags, try message.serializedBytes())
  }

  /// What comes back until the server closes, or until `count` frames are there.
  private func answers(_ path: String, to bytes: [UInt8], count: Int = .max) async throws -> [Ttrpc_Response] {
    let socket = try connect(path)
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).withConnectedSocket(socket.release()) { channel in
      channel.eventLoop.makeCompletedFuture {
        try NIOAsyncChannel(
          wrappingChannelSynchronously: channel, configuration: .init(inboundType: ByteBuffer.self, outboundType: ByteBuffer.self))
      }
    }
    return try await channel.executeThenClose { inbound, outbound in
      try await outbound.write(ByteBuffer(bytes: bytes))
      var (buffer, found): (ByteBuffer, [Ttrpc_Response]) = (ByteBuffer(), [])
      do {
        for try await var more in inbound {
          buffer.writeBuffer(&more)
          while let frame = try Frame(from: &buffer) {
            found.append(try Ttrpc_Response(serializedBytes: Array(frame.payload.readableBytesView)))
          }
          if found.count >= count { break }
        }
      } catch is IOError {}
      return found
    }
  }

  @Test func `who breaks the protocol loses the connection, and nobody else does`() async throws {
    try await serving { path, _ in
      let good = try await client(path)
      let broken: [[UInt8]] = [
        Self.frame(1, length: 5 << 20), Self.frame(1, 9), Self.frame(2), Self.frame(1, 2), Self.frame(1, 3), Self.frame(0),
        Array("GET / HTTP/1.1\r\n\r\n".utf8), try Self.request("State", stream: 5) + Self.request("State", stream: 3),
      ]
      for (index, bytes) in broken.enumerated() {
        #expect(try await answers(path, to: bytes).count == (index == broken.count - 1 ? 1 : 0), "\(index)")
        #expect(try await ask(good, "\(index)") == "for \(index)")
      }
      good.close()
    }
  }

  @Test func `a request that cannot be decoded, or wants a stream, is refused alone`() async throws {
    try await serving { path, _ in
      var bytes = Self.frame(1, 1, [0xFF, 0xFF])
      bytes += try Self.request("State", stream: 3, [0x0A, 0x7F])
      bytes += try Self.request("State", flags: 2, stream: 5)
      bytes += try Self.request("State", flags: 1, stream: 7)
      let found = try await answers(path, to: bytes, count: 4)
      #expect(found.map(\.status.code) == [3, 3, 12, 0])
    }
  }

  @Test func `noise ends nothing but its own connection`() async throws {
    try await serving { path, server in
      var numbers = SeededNumbers(seed: 7)
      for _ in 0..<200 {
        var bytes = try Self.request("State")
        for _ in 0..<3 { bytes[Int.random(in: 0..<bytes.count, using: &numbers)] = UInt8.random(in: 0...255, using: &numbers) }
        let socket = try connect(path)
        try Files.write(bytes, to: socket.raw, path)
      }
      let good = try await client(path)
      #expect(try await ask(good, "still") == "for still")
      good.close()
      for _ in 0..<200 where server.connections > 0 { try await Task.sleep(for: .milliseconds(10)) }
      #expect(server.connections == 0)
    }
  }

  /// False where the other side takes nothing for a second.
  private func sends(_ bytes: [UInt8], on socket: Int32) async -> Bool {
    for _ in 0..<100 {
      if send(socket, bytes, bytes.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)) == bytes.count { return true }
      try? await Task.sleep(for: .milliseconds(10))
    }
    return false
  }

  @Test func `a client that reads no answers is not read for ever`() async throws {
    try await serving { path, _ in
      let socket = try connect(path)
      let one = try Self.request("State", [0x0A, 0x02, 0x61, 0x61])
      var (stream, sent): (UInt32, Int) = (1, 0)
      while sent < 64 << 20 {
        var bytes = one
        withUnsafeBytes(of: stream.bigEndian) { bytes.replaceSubrange(4..<8, with: $0) }
        guard await sends(bytes, on: socket.raw) else { break }
        (stream, sent) = (stream + 2, sent + bytes.count)
      }
      #expect(sent < 64 << 20)
    }
  }
}
