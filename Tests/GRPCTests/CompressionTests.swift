import FoundationEssentials
import GRPC
import NIOCore
import SwiftProtobuf
import Testing

@testable import GRPC

/// Messages that a client packs, and answers that are packed likewise.
@Suite struct CompressionTests {
  /// Turns bytes around; nothing is what cannot be unpacked.
  private static let turning = GRPCCompression(name: "turning", pack: { $0.reversed() }) { bytes, limit in
    bytes.isEmpty || bytes.count > limit ? nil : bytes.reversed()
  }

  @Test func `requests are marked and name how they are packed`() async throws {
    try await Server.with { server in
      var configuration = GRPCClientConfiguration()
      configuration.compression = Self.turning
      let client = try await GRPCClient.connect(unixSocket: server.path, configuration: configuration)
      let request = Google_Protobuf_BytesValue.with { $0.value = .init([1, 2]) }
      let status = await #expect(throws: GRPCStatus.self) {
        _ = try await client.unary("/berth.test.Echo/Echo", request, returning: Google_Protobuf_BytesValue.self)
      }
      await client.close()
      #expect(status?.code == .unimplemented && status?.message.contains("compressed with \"turning\"") == true, "\(status?.message ?? "")")
    }
  }

  @Test func `answers are unpacked where they are marked, up to the limit`() throws {
    var deframer = MessageDeframer(limit: 4, kind: "response", encoding: "turning")
    deframer.compression = Self.turning
    deframer.append(ByteBuffer(bytes: [1, 0, 0, 0, 3, 1, 2, 3, 0, 0, 0, 0, 2, 8, 9, 1, 0, 0, 0, 0]))
    #expect(try deframer.next() == ByteBuffer(bytes: [3, 2, 1]))
    #expect(try deframer.next() == ByteBuffer(bytes: [8, 9]))
    let status = #expect(throws: GRPCStatus.self) { try deframer.next() }
    #expect(status?.code == .internal && status?.message.contains("is not turning") == true)
    deframer.encoding = "other"
    deframer.append(ByteBuffer(bytes: [1, 0, 0, 0, 1, 5]))
    #expect(throws: GRPCStatus.self) { try deframer.next() }
  }
}
