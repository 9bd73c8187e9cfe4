import GRPC
import NIOPosix
import Support
import SwiftProtobuf
import Synchronization
import Testing

/// Answers on the event loop, and away from it what it cannot answer at once.
private struct PlaceService: GRPCService {
  typealias Text = Google_Protobuf_StringValue
  let name = "berth.test.Place"
  /// What ``Kept`` answers, made once.
  let kept = {
    var message = EncodedMessage()
    message.append(field: 1, [Array("kept ".utf8), Array(repeatElement(UInt8(ascii: "x"), count: 100_000))])
    return message
  }()

  var methods: [GRPCMethod] {
    [
      .immediate("Here") { (_: Text) in Self.place() },
      .immediate("HereOrElsewhere") { (request: Text) in
        request.value == "elsewhere" ? nil : try EncodedMessage(Self.place())
      } otherwise: { _ in
        try await Task.sleep(for: .milliseconds(1))
        return try EncodedMessage(Self.place())
      },
      .immediate("Refuse") { (request: Text) -> Text in throw GRPCStatus(.notFound, request.value) },
      .immediate("Kept") { (_: Text) in kept },
      .unary("Elsewhere") { (_: Text, _) in Self.place() },
    ]
  }

  private static func place() -> Text { Text(MultiThreadedEventLoopGroup.currentEventLoop == nil ? "elsewhere" : "event loop") }
}

@Suite struct ImmediateTests {
  private typealias Text = Google_Protobuf_StringValue

  private func with(_ body: (GRPCClient) async throws -> Void) async throws {
    try await Server.with(services: [PlaceService()]) { try await $0.client(.init(), body) }
  }

  private func call(_ client: GRPCClient, _ method: String, _ text: String = "") async throws -> String {
    try await client.unary("/berth.test.Place/" + method, Text(text), returning: Text.self).value
  }

  @Test func `What is answered at once is answered on the event loop, the rest elsewhere`() async throws {
    try await with { client in
      for (method, text, place) in [
        ("Here", "", "event loop"), ("HereOrElsewhere", "", "event loop"), ("HereOrElsewhere", "elsewhere", "elsewhere"),
        ("Elsewhere", "", "elsewhere"),
      ] {
        let answer = try await call(client, method, text)
        #expect(answer == place, "\(method) \(text)")
      }
    }
  }

  @Test func `A status thrown at once arrives, and the connection goes on`() async throws {
    try await with { client in
      let failure = await status { try await call(client, "Refuse", "not here") }
      #expect(failure == GRPCStatus(.notFound, "not here"))
      let answer = try await call(client, "Here")
      #expect(answer == "event loop")
    }
  }

  @Test func `A message that is kept is sent whole every time, to many at once`() async throws {
    try await with { client in
      try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<50 { group.addTask { try await call(client, "Kept").count } }
        for try await count in group { #expect(count == 100_005) }
      }
    }
  }
}
