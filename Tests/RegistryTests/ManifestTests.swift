import Core
import NIOCore
import NIOHTTP1
import OCI
import Registry
import Support
import Testing

@Suite(.serialized) struct ManifestTests {
  private func manifest(
    _ body: [UInt8], type: String? = nil, digest: Digest? = nil, policy: TransferPolicy = .quick, status: Int = 200
  ) async throws -> ManifestDocument {
    try await withHostileServer({ _ in .response(status, type.map { ["Content-Type": $0] } ?? [:], body) }) { server in
      try await withClient(policy: policy) { try await $0.manifest(.test(server.authority, digest: digest), credentials: nil) }
    }
  }

  private let list = Array(#"{"schemaVersion":2,"manifests":[]}"#.utf8)
  private let image = SampleImage(layerSize: 10)

  @Test func theTypeIsWhatTheDocumentSaysOrWhatItIsServedAs() async throws {
    for type in [MediaType.ociIndex, MediaType.dockerList] {
      #expect(try await manifest(list, type: type + "; charset=utf-8").mediaType == type)
    }
    for type in [nil, "text/plain", "application/json"] {
      #expect(try await manifest(list, type: type).mediaType == MediaType.ociIndex)
      #expect(try await manifest(image.manifest, type: type).mediaType == MediaType.ociManifest)
    }
  }

  @Test func allTypesOfManifestsAreAccepted() async throws {
    try await withHostileServer({ _ in .response(404) }) { server in
      try await withClient { client in _ = await fault { _ = try await client.manifest(.test(server.authority), credentials: nil) } }
      let accept = server.requests[0].headers.first(name: "Accept") ?? ""
      for type in MediaType.manifests { #expect(accept.contains(type)) }
    }
  }

  @Test func aWrongDigestIsDataLossWhateverTheHeaderClaims() async throws {
    let digest = image.digest
    try await withHostileServer({ _ in
      .response(200, ["Content-Type": MediaType.ociIndex, "Docker-Content-Digest": "\(digest)"], text: #"{"manifests":[]}"#)
    }) { server in
      try await withClient { client in
        let named = await fault { _ = try await client.manifest(.test(server.authority, digest: digest), credentials: nil) }
        #expect(named.code == .dataLoss)
        #expect(named.message.contains("the content's digest is \(Digest.sha256(of: Array(#"{"manifests":[]}"#.utf8)))"), "\(named)")
        let tagged = try await client.manifest(.test(server.authority), credentials: nil)
        #expect(tagged.digest == .sha256(of: tagged.bytes))
      }
    }
  }

  @Test func aSHA512DigestIsCheckedToo() async throws {
    let digest = Digest.of(image.manifest, .sha512)
    #expect(try await manifest(image.manifest, digest: digest).digest == digest)
    let wrong = await fault { _ = try await manifest(list, digest: digest) }
    #expect(wrong.code == .dataLoss)
  }

  @Test(arguments: [
    (#"{"schemaVersion":1,"fsLayers":[]}"#, "application/vnd.docker.distribution.manifest.v1+prettyjws"),
    (#"{"schemaVersion":1,"fsLayers":[],"name":"x"}"#, "application/json"),
    (#"{}"#, "application/vnd.docker.distribution.manifest.v1+json"),
  ]) func schema1IsRefusedClearly(body: String, type: String) async throws {
    let fault = await fault { _ = try await manifest(Array(body.utf8), type: type) }
    #expect(fault.code == .unimplemented)
    #expect(fault.message.contains("Docker's schema 1"), "\(fault)")
  }

  @Test(arguments: [
    ("not json", MediaType.ociManifest), ("[]", MediaType.ociManifest), ("{}", MediaType.ociManifest),
    (#"{"layers":[],"manifests":[]}"#, MediaType.ociIndex),
    (#"{"layers":[]}"#, MediaType.ociIndex),
    (#"{"manifests":[],"mediaType":"application/vnd.oci.image.index.v1+json"}"#, MediaType.ociManifest),
    ("", MediaType.ociManifest),
  ]) func aDocumentThatIsNotWhatItClaimsIsDataLoss(body: String, type: String) async throws {
    let fault = await fault { _ = try await manifest(Array(body.utf8), type: type) }
    #expect(fault.code == .dataLoss)
  }

  @Test func aDocumentThatIsNoImageIsNamed() async throws {
    let fault = await fault { _ = try await manifest(Array(#"{"mediaType":"application/vnd.oci.artifact.manifest.v1+json"}"#.utf8)) }
    #expect(fault.code == .unimplemented)
    #expect(fault.message.contains("not an image but application/vnd.oci.artifact"), "\(fault)")
  }

  @Test func aManifestThatIsTooLargeIsRefused() async throws {
    var policy = TransferPolicy.quick
    policy.documentLimit = 1000
    let fault = await fault { _ = try await manifest(Array(repeating: 32, count: 1001), policy: policy) }
    #expect(fault.code == .resourceExhausted)
    #expect(fault.message.contains("more than 1000 bytes"), "\(fault)")
  }

  @Test func aManifestThatNeverEndsIsGivenUp() async throws {
    var policy = TransferPolicy.quick
    policy.documentTimeout = .milliseconds(100)
    policy.attempts = 2
    try await withHostileServer({ _ in .response(200, [:], [32], length: 100) + [.pause(.seconds(60))] }) { server in
      try await withClient(policy: policy) { client in
        let fault = await fault { _ = try await client.manifest(.test(server.authority), credentials: nil) }
        #expect(fault.code == .unavailable)
        #expect(fault.message.contains("not done after 0.1 seconds"), "\(fault)")
      }
      #expect(server.requests.count == 2)
    }
  }

  @Test func aCutManifestIsFetchedAgain() async throws {
    let whole = image.manifest
    try await withHostileServer({ request in
      request.number == 0
        ? .response(200, [:], Array(whole.prefix(50)), length: whole.count, close: true) : .response(200, [:], whole)
    }) { server in
      try await withClient { client in
        let manifest = try await client.manifest(.test(server.authority), credentials: nil)
        #expect(manifest.bytes == whole)
      }
    }
  }

  @Test(arguments: [
    "SSH-2.0-OpenSSH\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "HTTP/1.1 999999 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFF\r\n", "\0\0\0\0\0\0\0\0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nX: " + String(repeating: "x", count: 4 << 20) + "\r\n\r\n",
  ]) func whatIsNotHTTPIsAnError(answer: String) async throws {
    try await withHostileServer({ _ in [.send(Array(answer.utf8)), .close] }) { server in
      try await withClient { client in
        let fault = await fault { _ = try await client.manifest(.test(server.authority), credentials: nil) }
        #expect([.unavailable, .dataLoss].contains(fault.code), "\(fault)")
        #expect(fault.message.utf8.count < 1000)
      }
    }
  }

  @Test func textOfTheRegistryInAnErrorIsOneShortLine() async throws {
    let fault = await fault {
      _ = try await manifest(Array(("evil\r\n\u{1b}[31m" + String(repeating: "é", count: 5000)).utf8), status: 403)
    }
    #expect(fault.message.utf8.count < 1200)
    #expect(!fault.message.unicodeScalars.contains { $0.value < 32 })
  }
}
