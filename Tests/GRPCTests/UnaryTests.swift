import GRPC
import Support
import SwiftProtobuf
import Testing

@Suite struct UnaryTests {
  private typealias Bytes = Google_Protobuf_BytesValue
  private typealias Text = Google_Protobuf_StringValue

  private func echo(_ client: GRPCClient, _ count: Int) async throws -> Int {
    let request = Bytes.with { $0.value = EchoService.filled(5, count: count) }
    return try await client.unary("/berth.test.Echo/Echo", request, returning: Bytes.self).value.count
  }

  private func expectEcho(_ client: GRPCClient, _ count: Int) async throws {
    let answer = try await echo(client, count)
    #expect(answer == count)
  }

  @Test func `A call is answered, empty, small and large`() async throws {
    try await Server.with { server in
      try await server.client { client in
        for count in [0, 1, 100, 16_379, 100_000, 9_000_000, (16 << 20) - 5] { try await expectEcho(client, count) }
      }
    }
  }

  @Test func `A thousand calls run at once over one connection`() async throws {
    try await Server.with { server in
      try await server.client { client in
        try await withThrowingTaskGroup(of: Int.self) { group in
          for index in 0..<3000 { group.addTask { try await echo(client, index) - index } }
          for try await difference in group { #expect(difference == 0) }
        }
      }
    }
  }

  @Test func `Metadata reaches the handler`() async throws {
    try await Server.with { server in
      try await server.client { client in
        var metadata: GRPCMetadata = ["containerd-namespace": "k8s.io"]
        metadata.add("Twice", "a")
        metadata.add("twice", "b")
        for (name, value) in [("containerd-namespace", "k8s.io"), ("twice", "a|b"), ("grpc-timeout", ""), ("te", "")] {
          let answer = try await client.unary("/berth.test.Echo/Metadata", Text(name), returning: Text.self, metadata: metadata)
          #expect(answer.value == value)
        }
        let bad = await status {
          try await client.unary("/berth.test.Echo/Metadata", Text(""), returning: Text.self, metadata: ["a": "b\nc"])
        }
        #expect(bad?.code == .invalidArgument)
      }
    }
  }

  @Test(arguments: GRPCStatus.Code.allCases.filter { $0 != .ok })
  func `A handler's status arrives`(_ code: GRPCStatus.Code) async throws {
    try await Server.with { server in
      try await server.client { client in
        let text = "pod x/y: größe 100% \u{7f}\n \"bridge\" ADD: 網路"
        let failure = await status {
          try await client.unary("/berth.test.Echo/Fail", Text("\(code) \(text)"), returning: Google_Protobuf_Empty.self)
        }
        #expect(failure == GRPCStatus(code, text))
      }
    }
  }

  @Test func `Any other error is INTERNAL with its text, a long message is cut`() async throws {
    try await Server.with { server in
      try await server.client { client in
        let failure = await status {
          try await client.unary("/berth.test.Echo/Fail", Text("strange thing"), returning: Google_Protobuf_Empty.self)
        }
        #expect(failure == GRPCStatus(.internal, "strange thing"))
        let long = String(repeating: "ä", count: 10_000)
        let cut = await status {
          try await client.unary("/berth.test.Echo/Fail", Text("ABORTED " + long), returning: Google_Protobuf_Empty.self)
        }
        #expect(cut?.code == .aborted && cut?.message.hasSuffix("ä…") == true)
        try await expectEcho(client, 1)
      }
    }
  }

  @Test func `Unknown services and methods are UNIMPLEMENTED, naming the path`() async throws {
    try await Server.with { server in
      try await server.client { client in
        for (path, what) in [("/berth.test.Echo/Nope", "method"), ("/nope.Nope/Echo", "service"), ("/", "service"), ("/x", "service")] {
          let failure = await status { try await client.unary(path, Text(""), returning: Text.self) }
          #expect(failure == GRPCStatus(.unimplemented, "unknown \(what): \(path)"))
        }
      }
    }
  }

  @Test func `Messages above the limit are RESOURCE_EXHAUSTED with both sizes, whoever notices`() async throws {
    try await Server.with { configuration in
      configuration.maxRequestSize = 1000
      configuration.maxResponseSize = 2000
    } _: { server in
      try await server.client { client in
        let request = await status { try await echo(client, 5_000_000) }
        #expect(request == GRPCStatus(.resourceExhausted, "request message of 5000005 bytes exceeds the limit of 1000 bytes"))
        let response = await status {
          try await client.unary("/berth.test.Echo/Big", Google_Protobuf_Int64Value(3000), returning: Bytes.self)
        }
        #expect(response == GRPCStatus(.resourceExhausted, "response message of 3003 bytes exceeds the limit of 2000 bytes"))
        try await expectEcho(client, 500)
      }
      var configuration = GRPCClientConfiguration()
      configuration.maxResponseSize = 100
      configuration.maxRequestSize = 700
      try await server.client(configuration) { client in
        #expect(
          await status { try await echo(client, 200) }
            == GRPCStatus(.resourceExhausted, "response message of 203 bytes exceeds the limit of 100 bytes"))
        #expect(
          await status { try await echo(client, 800) }
            == GRPCStatus(.resourceExhausted, "request message of 803 bytes exceeds the limit of 700 bytes"))
        try await expectEcho(client, 50)
      }
    }
  }

  @Test func `A request that is no such message is INVALID_ARGUMENT`() async throws {
    try await Server.with { server in
      try await server.client { client in
        let failure = await status {
          try await client.unary(
            "/berth.test.Echo/Metadata", Bytes.with { $0.value.append(contentsOf: [0xff, 0xfe]) }, returning: Text.self)
        }
        #expect(failure?.code == .invalidArgument)
        #expect(failure?.message.contains("google.protobuf.StringValue") == true)
        try await expectEcho(client, 1)
      }
    }
  }
}
