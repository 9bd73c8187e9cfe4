import GRPC
import Linux
import Support
import Synchronization
import Testing

/// The server under clients nobody here wrote: grpcio (`conformance/grpc/prepare` installs it) and h2load (Debian's nghttp2-client).
@Suite struct ForeignClientTests {
  private static let root = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }

  private func run(_ program: String, _ arguments: [String]) async throws -> String {
    let output = try await Command.run(program, arguments, environment: ["PATH=/usr/bin:/bin"], timeout: .seconds(120))
    let text = String(decoding: output.stdout + output.stderr, as: UTF8.self)
    #expect(output.succeeded, "\(program): \(output.ending): \(text)")
    return text
  }

  @Test func `grpcio finds everything in order`() async throws {
    try await Server.with { server in
      let text = try await run(
        Self.root + "/.build/grpcio/bin/python3", [Self.root + "/conformance/grpc/client.py", "unix:" + server.path])
      #expect(text.contains("passed: 15 checks"))
      #expect(await eventually { server.echo.running.withLock { $0 } == 0 })
    }
  }

  @Test func `h2load gets an answer to every call`() async throws {
    try await Server.with { server in
      let body = server.path + ".body"
      defer { try? Files.remove(body) }
      try Files.write([0, 0, 0, 0, 7, 0x0a, 5] + Array("hello".utf8), to: body)
      let text = try await run(
        "/usr/bin/h2load",
        [
          "-n", "10000", "-c", "8", "-m", "50", "-d", body, "-H", "content-type: application/grpc", "-H", "te: trailers", "-B",
          "unix:" + server.path, "http://localhost/berth.test.Echo/Echo",
        ])
      #expect(text.contains("10000 succeeded, 0 failed, 0 errored, 0 timeout"), "\(text)")
      try await server.client { try await expectAnswer($0) }
    }
  }
}
