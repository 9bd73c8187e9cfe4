import Core
import Linux
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import OCI
import Support
import Testing

@testable import Registry

/// What is told of a push's requests: in metrics, and where a host is not to be trusted.
@Suite(.serialized) struct PushTroubleTests {
  private func withPush(_ host: RegistryHost, _ body: (any RegistryPush) async throws -> Void) async throws -> [String] {
    let metrics = Metrics()
    let client = RegistryClient(
      hosts: FixedHosts(list: [host]), group: .singletonMultiThreadedEventLoopGroup, policy: .quick, metrics: metrics,
      logger: Logger(label: "test"))
    do { try await body(client.push(to: .test(host.authority), credentials: nil, mounting: [])) } catch {
      try await client.shutdown()
      throw error
    }
    try await client.shutdown()
    return PrometheusText.render(await metrics.collect()).split(separator: "\n").map(String.init).filter { $0.hasPrefix("berth_registry_") }
  }

  private static let digest = Digest.sha256(of: [])

  @Test func `its requests are counted as a pull's are`() async throws {
    try await withHostileServer({ $0.method == "HEAD" ? .response(404) : .response(500) }) { server in
      let counts = try await withPush(RegistryHost(scheme: .http, authority: server.authority)) { push in
        let isThere = try await push.hasBlob(Self.digest)
        #expect(!isThere)
        await #expect(throws: Fault.self) {
          try await push.put(ManifestDocument(digest: Self.digest, mediaType: "a/b", bytes: []), at: "1")
        }
      }
      #expect(counts.contains(#"berth_registry_requests_total{status="404"} 1"#), "\(counts)")
      #expect(counts.contains { $0.hasPrefix(#"berth_registry_requests_total{status="500"} "#) }, "\(counts)")
    }
  }

  @Test func `a certificate that is not to be trusted is said, with the request`() async throws {
    try await withScratch { scratch in
      let identity = try await TestAuthority(in: scratch).issue("server")
      let tls = try TLSConfiguration.makeServerConfiguration(
        certificateChain: NIOSSLCertificate.fromPEMFile(identity.certificate).map { .certificate($0) },
        privateKey: .privateKey(NIOSSLPrivateKey(file: identity.key, format: .pem)))
      try await withHostileServer(tls: NIOSSLContext(configuration: tls), { _ in .response(200) }) { server in
        let counts = try await withPush(RegistryHost(scheme: .https, authority: server.authority)) { push in
          let fault = await fault { _ = try await push.hasBlob(Self.digest) }
          let request = "HEAD https://\(server.authority)/v2/test/image/blobs/\(Self.digest)"
          #expect(fault.message.contains("\(request): TLS: the host's certificate is not signed by a trusted authority"), "\(fault)")
        }
        #expect(counts.contains(#"berth_registry_requests_total{status="none"} 1"#), "\(counts)")
      }
    }
  }
}
