import Core
import NIOCore
import OCI
import Registry
import Support
import Testing

/// What must hold when many things happen at once, and at the ends of a client's life.
@Suite(.serialized) struct BorderTests {
  @Test func manyBlobsAtOnceAllArrive() async throws {
    let images = (0..<8).map { SampleImage(layerSize: 700_000 + $0) }
    try await withLocalRegistry { registry in
      for image in images { try registry.add(image) }
      try await withClient { client in
        try await withThrowingTaskGroup(of: Bool.self) { group in
          for image in images {
            for _ in 0..<4 { group.addTask { try await client.bytes(image.descriptor, of: .test(registry.authority)) == image.layer } }
          }
          for try await isRight in group { #expect(isRight) }
        }
      }
    }
  }

  @Test func piecesHaveADecentSize() async throws {
    let image = SampleImage(layerSize: 5_000_000)
    try await withLocalRegistry { registry in
      try registry.add(image)
      try await withClient { client in
        let stream = try await client.blob(image.descriptor, of: .test(registry.authority), credentials: nil)
        var sizes: [Int] = []
        while let piece = try await stream.next() { sizes.append(piece.count) }
        #expect(sizes.dropLast().allSatisfy { $0 >= 128 << 10 && $0 <= 1 << 20 }, "\(sizes)")
        #expect(try await stream.next() == nil, "the end stays the end")
      }
    }
  }

  @Test func afterShutdownNothingIsFetched() async throws {
    try await withClient { client in
      try await client.shutdown()
      let fault = await fault { _ = try await client.manifest(.test("127.0.0.1:1"), credentials: nil) }
      #expect(fault.code == .unavailable)
      #expect(fault.message.contains("shut down"), "\(fault)")
    }
  }

  @Test func aCancelledPullEndsAtOnce() async throws {
    try await withHostileServer({ _ in [.pause(.seconds(60))] }) { server in
      try await withClient { client in
        let pull = Task { try await client.manifest(.test(server.authority), credentials: nil) }
        while server.requests.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        pull.cancel()
        let fault = await fault { _ = try await pull.value }
        #expect(fault.code == .cancelled)
      }
    }
  }

  @Test func aTokenThatIsNoHeaderIsRefusedWithoutRepeatingIt() async throws {
    try await withClient { client in
      var credentials = RegistryCredentials()
      credentials.registryToken = "secret\r\nEvil: 1"
      let fault = await fault { _ = try await client.manifest(.test("127.0.0.1:1"), credentials: credentials) }
      #expect(fault.code == .invalidArgument)
      #expect(!fault.message.contains("secret"))
    }
  }

  @Test func aNegativeSizeIsRefused() async throws {
    try await withClient { client in
      let descriptor = Descriptor(mediaType: MediaType.ociLayer, digest: .sha256(of: []), size: -1)
      let fault = await fault { _ = try await client.bytes(descriptor, of: .test("127.0.0.1:1")) }
      #expect(fault.code == .invalidArgument)
    }
  }
}
