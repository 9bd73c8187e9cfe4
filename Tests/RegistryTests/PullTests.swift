import Core
import OCI
import Registry
import Support
import Testing

@Suite(.serialized) struct PullTests {
  @Test func aManifestIsFoundByTagAndByDigest() async throws {
    let image = SampleImage()
    try await withLocalRegistry { registry in
      try registry.add(image, tag: "v1")
      try await withClient { client in
        let tagged = try await client.manifest(.test(registry.authority, tag: "v1"), credentials: nil)
        #expect(tagged.digest == image.digest)
        #expect(tagged.mediaType == MediaType.ociManifest)
        #expect(tagged.bytes == image.manifest)
        let named = try await client.manifest(.test(registry.authority, tag: nil, digest: image.digest), credentials: nil)
        #expect(named.bytes == image.manifest)
      }
    }
  }

  @Test func aBlobArrivesWhole() async throws {
    let image = SampleImage(layerSize: 3_000_001)
    try await withLocalRegistry { registry in
      try registry.add(image)
      try await withClient { client in
        let bytes = try await client.bytes(image.descriptor, of: .test(registry.authority))
        #expect(bytes == image.layer)
      }
    }
  }

  @Test func whatIsNotThereIsNotFound() async throws {
    let image = SampleImage(layerSize: 10)
    try await withLocalRegistry { registry in
      try await withClient { client in
        let noManifest = await fault { _ = try await client.manifest(.test(registry.authority), credentials: nil) }
        #expect(noManifest.code == .notFound)
        #expect(noManifest.message.contains("test/image:latest"))
        #expect(noManifest.message.contains("MANIFEST_UNKNOWN"))
        let noBlob = await fault { _ = try await client.bytes(image.descriptor, of: .test(registry.authority)) }
        #expect(noBlob.code == .notFound)
        #expect(noBlob.message.contains("\(image.descriptor.digest)"))
      }
    }
  }

  @Test func aRegistryThatIsDownIsUnavailable() async throws {
    let port = try await Loopback.freePort()
    try await withClient { client in
      let fault = await fault { _ = try await client.manifest(.test("127.0.0.1:\(port)"), credentials: nil) }
      #expect(fault.code == .unavailable)
      #expect(fault.message.contains("Connection refused"), "\(fault)")
    }
  }
}
