import GRPC
import HTTP2
import NIOCore
import Testing

/// Requests that are wrong in every way; the next good one, on the same connection, works.
@Suite struct BadInputTests {
  /// BytesValue "hello" with its prefix.
  private static let good: [UInt8] = [0, 0, 0, 0, 7, 0x0a, 5] + Array("hello".utf8)

  private static func headers(_ changes: [String: String] = [:], path: String = "/berth.test.Echo/Echo") -> Headers {
    var fields = [
      HeaderField(":method", "POST"), HeaderField(":scheme", "http"), HeaderField(":path", path),
      HeaderField(":authority", "/run/berth/berth.sock"), HeaderField("content-type", "application/grpc"),
    ]
    for (name, value) in changes.sorted(by: { $0.key < $1.key }) {
      if let index = fields.firstIndex(where: { $0.name == name }) {
        fields[index].value = value
      } else {
        fields.append(HeaderField(name, value))
      }
    }
    return Headers(fields)
  }

  private func answer(_ headers: Headers = headers(), _ body: [UInt8] = good) async throws -> RawConnection.Answer {
    var answers: [RawConnection.Answer] = []
    try await Server.with { server in
      answers = try await RawConnection.call(server.path, [(headers, body), (Self.headers(), Self.good)])
      try await server.client { try await expectAnswer($0) }
    }
    #expect(answers[1].status == "0")
    #expect(Array(answers[1].body.readableBytesView) == Self.good)
    return answers[0]
  }

  @Test(
    arguments: [
      ([], "13", "no request message"),
      ([0], "13", "inside a message's prefix: 1 of 5"),
      ([0, 0, 0, 0], "13", "inside a message's prefix: 4 of 5"),
      ([0, 0, 0, 0, 7, 1, 2], "13", "inside a message: 2 of 7"),
      (good + good, "13", "more than one request message"),
      (good + [0], "13", "inside a message's prefix"),
      ([7, 0, 0, 0, 0], "13", "compression flag 7"),
      ([1, 0, 0, 0, 0], "13", "no grpc-encoding"),
      ([0, 0x7f, 0xff, 0xff, 0xff], "8", "2147483647 bytes exceeds the limit of 16777216"),
      ([0, 0, 0, 0, 1, 0xff], "3", "BytesValue"),
      ([0, 0, 0, 0, 2, 0x0a, 0x7f], "3", "BytesValue"),
    ] as [([UInt8], String, String)])
  func `A malformed body is answered with what is wrong`(_ body: [UInt8], _ status: String, _ message: String) async throws {
    let answer = try await answer(Self.headers(), body)
    #expect(answer.status == status)
    #expect(answer.message?.contains(message) == true, "\(answer.message ?? "")")
    #expect(answer.headers[":status"] == "200" && answer.trailers == nil && answer.closed == .noError)
  }

  @Test func `A compressed message is UNIMPLEMENTED, and says what is supported`() async throws {
    let answer = try await answer(Self.headers(["grpc-encoding": "gzip"]), [1] + Self.good.dropFirst())
    #expect(answer.status == "12")
    #expect(answer.headers["grpc-accept-encoding"] == "identity")
    let plain = try await self.answer(Self.headers(["grpc-encoding": "gzip"]))
    #expect(plain.status == "0")
  }

  @Test(arguments: ["text/html", "application/json", "application/grpc-web", "application/grpc+json", "application/grpcx", ""])
  func `Another content-type is 415`(_ type: String) async throws {
    #expect(try await answer(Self.headers(["content-type": type])).headers[":status"] == "415")
  }

  @Test(arguments: ["application/grpc+proto", "application/grpc; charset=utf-8", "Application/GRPC"])
  func `A content-type of gRPC is accepted in its variants`(_ type: String) async throws {
    #expect(try await answer(Self.headers(["content-type": type])).status == "0")
  }

  @Test(arguments: ["GET", "HEAD", "PUT", "OPTIONS"])
  func `Another method than POST is 405`(_ method: String) async throws {
    let answer = try await answer(Self.headers([":method": method]), [])
    #expect(answer.headers[":status"] == "405" && answer.headers["allow"] == "POST")
  }

  @Test(arguments: ["", "1", "S", "-1S", "1x", "123456789S", "1 S", "１S"])
  func `A malformed grpc-timeout is refused`(_ timeout: String) async throws {
    let answer = try await answer(Self.headers(["grpc-timeout": timeout]))
    #expect(answer.status == "13")
    #expect(answer.message?.contains("grpc-timeout") == true)
  }

  @Test(arguments: ["99999999H", "1S", "99999999u", "00000001M"])
  func `A grpc-timeout in any unit is taken`(_ timeout: String) async throws {
    #expect(try await answer(Self.headers(["grpc-timeout": timeout])).status == "0")
  }

  @Test func `A deadline that has passed is DEADLINE_EXCEEDED`() async throws {
    let answer = try await answer(Self.headers(["grpc-timeout": "1m"], path: "/berth.test.Echo/Hang"), [0, 0, 0, 0, 0])
    #expect(answer.status == "4")
  }
}
