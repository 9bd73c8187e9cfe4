import Core
import NIOCore
import NIOHTTP1
import OCI
import Support
import Synchronization
import Testing

@testable import Registry

/// What a registry has about an image, by its interface or by the tag that stands in for it.
@Suite(.serialized) struct ReferrersTests {
  private static func descriptor(_ text: String, _ type: String) -> Descriptor {
    var descriptor = Descriptor(mediaType: MediaType.ociManifest, digest: .sha256(of: Array(text.utf8)), size: 5)
    descriptor.artifactType = type
    return descriptor
  }

  private static let signature = descriptor("signature", "application/vnd.test.signature")
  private static let sbom = descriptor("sbom", "application/vnd.test.sbom")

  private static func index(_ descriptors: Descriptor...) -> [UInt8] { JSONDocument.encode(Index(manifests: descriptors)) }

  private struct Answer {
    var subject: Digest?
    var referrers: [Descriptor]?
    var fault: Fault?
    var paths: [String] = []
  }

  private func ask(type: String? = nil, _ script: @escaping HostileServer.Script) async throws -> Answer {
    try await withHostileServer(script) { server in
      var answer = Answer()
      answer = try await withClient { client in
        var answer = Answer()
        do {
          let found = try await client.referrers(of: .test(server.authority, digest: .sha256(of: [1])), type: type, credentials: nil)
          (answer.subject, answer.referrers) = (found.subject, found.referrers)
        } catch { answer.fault = Fault(error) }
        return answer
      }
      answer.paths = server.requests.map(\.path)
      return answer
    }
  }

  @Test func `all pages of the interface are read, and filtered by type where the registry did not`() async throws {
    let script: HostileServer.Script = { request in
      var headers = ["Content-Type": MediaType.ociIndex]
      if request.query == "next=2" { return .response(200, headers, Self.index(Self.sbom)) }
      headers["Link"] = "<\(request.path)?next=2>; rel=\"next\""
      return .response(200, headers, Self.index(Self.signature))
    }
    let all = try await ask(script)
    #expect(all.referrers == [Self.signature, Self.sbom], "\(all)")
    #expect(all.subject == .sha256(of: [1]))
    #expect(all.paths == Array(repeating: "/v2/test/image/referrers/\(Digest.sha256(of: [1]))", count: 2))
    let filtered = try await ask(type: "application/vnd.test.sbom", script)
    #expect(filtered.referrers == [Self.sbom])
  }

  @Test(arguments: [404, 405]) func `where there is no interface, the tag says it, and where there is no tag, there are none`(status: Int)
    async throws
  {
    let tag = "sha256-\(Digest.sha256(of: [1]).hex)"
    let tagged = try await ask { request in
      if request.path.hasSuffix("/manifests/\(tag)") { return .response(200, ["Content-Type": MediaType.ociIndex], Self.index(Self.sbom)) }
      return .response(status)
    }
    #expect(tagged.referrers == [Self.sbom], "\(tagged)")
    let none = try await ask { _ in .response(404) }
    #expect(none.referrers == [], "\(none)")
  }

  @Test func `what is no index, leads elsewhere, never ends or is refused is an error that says so`() async throws {
    let manifest = SampleImage(layerSize: 10).manifest
    let type = ["Content-Type": MediaType.ociIndex]
    let elsewhere = ["Link": "<http://127.0.0.2/v2/x>; rel=next"]
    let cases: [(HostileServer.Script, Fault.Code, String)] = [
      ({ _ in .response(200, type, Array("{".utf8)) }, .dataLoss, "referrers/"),
      ({ _ in .response(200, ["Content-Type": MediaType.ociManifest], manifest) }, .dataLoss, "it is no index"),
      ({ _ in .response(200, elsewhere, Self.index()) }, .dataLoss, "on another host"),
      (
        { request in .response(200, ["Link": "<\(request.path)?n=\(request.number)>; rel=next"], Self.index()) }, .resourceExhausted,
        "more than 100 pages"
      ),
      ({ _ in .response(403, text: "go away") }, .permissionDenied, "go away"),
    ]
    for (script, code, words) in cases {
      let answer = try await ask(script)
      #expect(answer.fault?.code == code && answer.fault?.message.contains(words) == true, "\(answer)")
    }
  }

  @Test func `the tag of a long digest is no longer than tags may be`() {
    let digest = Digest.of([1], .sha512)
    #expect(ReferrersFetch.tag(of: digest) == "sha512-\(digest.hex.prefix(64))")
  }
}
