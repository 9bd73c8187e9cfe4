import Core
import Linux
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import OCI
import Support
import Testing

@testable import Registry

/// Who is at the other end of a connection: names are not addresses, with a proxy in between or without.
@Suite(.serialized) struct PeerTests {
  private let image = SampleImage(layerSize: 600_000)

  @Test func `a certificate for an address is none for a name that leads there`() async throws {
    try await withScratch { scratch in
      let authority = try await TestAuthority(in: scratch)
      let identity = try await authority.issue("address")
      let context = try NIOSSLContext(
        configuration: .makeServerConfiguration(
          certificateChain: NIOSSLCertificate.fromPEMFile(identity.certificate).map { .certificate($0) },
          privateKey: .privateKey(NIOSSLPrivateKey(file: identity.key, format: .pem))))
      try await withHostileServer(tls: context, { _ in .response(200, ["Content-Type": MediaType.ociManifest], image.manifest) }) {
        server in
        func host(_ name: String) -> RegistryHost {
          var host = RegistryHost(scheme: .https, authority: "\(name):\(server.port)")
          host.tls.authorities = [authority.certificate]
          return host
        }
        for name in ["localhost", "LOCALHOST"] {
          try await withClient(FixedHosts(list: [host(name)])) { client in
            let pull = await fault { _ = try await client.manifest(.test("r.example"), credentials: nil) }
            #expect(pull.message.contains("TLS: the host's certificate is for 127.0.0.1, not for localhost"), "\(pull)")
            let push = await fault {
              try await client.push(to: .test("r.example"), credentials: nil, mounting: []).put(
                ManifestDocument(digest: image.digest, mediaType: MediaType.ociManifest, bytes: image.manifest), at: "1")
            }
            #expect(push.message.contains("TLS: the host's certificate is for 127.0.0.1, not for localhost"), "\(push)")
          }
        }
        #expect(server.requests.isEmpty)
        try await withClient(FixedHosts(list: [host("127.0.0.1")])) { _ = try await $0.manifest(.test("r.example"), credentials: nil) }
        var trusting = host("localhost")
        trusting.tls.skipVerify = true
        try await withClient(FixedHosts(list: [trusting])) { _ = try await $0.manifest(.test("r.example"), credentials: nil) }
        #expect(server.requests.count == 2 && server.requests.allSatisfy { $0.headers[PeerCheck.header].isEmpty })
      }
    }
  }

  @Test func `a password is not shown to a token endpoint that is another one`() async throws {
    try await withScratch { scratch in
      let authority = try await TestAuthority(in: scratch)
      try await withLocalRegistry { registry in
        let identity = try await authority.issue("address")
        try await TLSTerminator.with(identity, backend: registry.port) { endpoint in
          let challenge = "Bearer realm=\"https://localhost:\(endpoint.port)/token\",service=\"s\""
          try await withHostileServer({ _ in .response(401, ["WWW-Authenticate": challenge]) }) { server in
            var host = RegistryHost(scheme: .http, authority: server.authority)
            host.tls.authorities = [authority.certificate]
            var credentials = RegistryCredentials()
            (credentials.username, credentials.password) = ("u", "p")
            try await withClient(FixedHosts(list: [host])) { client in
              let fault = await fault { _ = try await client.manifest(.test(server.authority), credentials: credentials) }
              #expect(fault.message.contains("TLS: the host's certificate is for 127.0.0.1, not for localhost"), "\(fault)")
            }
          }
        }
      }
    }
  }

  /// A pull from `target` by a proxy on loopback which leads to a server with a certificate for `names`.
  private func pull(
    _ target: String, of names: String?, proxy: (name: String, isSecure: Bool) = ("127.0.0.1", false), _ scratch: String
  ) async throws -> (result: Result<[UInt8], any Error>, targets: [String]) {
    let authority = try await TestAuthority(in: scratch)
    var identity: TestAuthority.Identity?
    if let names { identity = try await authority.issue("server", alternatives: names) }
    let tls = try identity.map { identity in
      try NIOSSLContext(
        configuration: .makeServerConfiguration(
          certificateChain: NIOSSLCertificate.fromPEMFile(identity.certificate).map { .certificate($0) },
          privateKey: .privateKey(NIOSSLPrivateKey(file: identity.key, format: .pem))))
    }
    let layer = image.layer
    return try await withHostileServer(tls: tls, { .blob(layer, $0) }) { server in
      var options = RelayProxy.Options()
      (options.authorization, options.destination) = ("Basic dTpw", server.port)
      if proxy.isSecure { options.identity = try await authority.issue("proxy") }
      return try await RelayProxy.with(options) { relay in
        let address = "\(proxy.isSecure ? "https" : "http")://u:p@\(proxy.name):\(relay.port)"
        let client = RegistryClient(
          hosts: FixedHosts(list: [RegistryHost(scheme: names == nil ? .http : .https, authority: target)]),
          group: .singletonMultiThreadedEventLoopGroup,
          environment: ["HTTP_PROXY=\(address)", "HTTPS_PROXY=\(address)", "SSL_CERT_FILE=\(authority.certificate)"], policy: .quick,
          logger: Logger(label: "test"))
        let result: Result<[UInt8], any Error>
        do { result = .success(try await client.bytes(image.descriptor, of: .test("r.example"))) } catch { result = .failure(error) }
        try await client.shutdown()
        return (result, relay.targets)
      }
    }
  }

  @Test(arguments: [
    ("[2001:db8::5]:5000", nil, "[2001:db8::5]:5000"), ("[2001:db8::5]:5000", "IP:2001:db8::5", "[2001:db8::5]:5000"),
    ("[2001:db8:0::5]", "DNS:x.example,IP:2001:db8::5", "[2001:db8:0::5]:443"), ("192.0.2.7:5000", "IP:192.0.2.7", "192.0.2.7:5000"),
    ("r.example", "DNS:*.example", "r.example:443"), ("[2001:db8::5]", nil, "[2001:db8::5]:80"),
  ])
  func `a proxy is asked for an address in brackets, and the certificate is compared with what was asked for`(
    target: String, names: String?, expected: String
  ) async throws {
    try await withScratch { scratch in
      let (result, targets) = try await pull(target, of: names, scratch)
      #expect(throws: Never.self) { try result.get() }
      #expect((try? result.get()) == image.layer)
      #expect(targets == [expected])
    }
  }

  @Test(arguments: [
    ("[2001:db8::5]:5000", "IP:2001:db8::6", "2001:db8::6, not for 2001:db8::5"),
    ("192.0.2.7", "IP:127.0.0.1", "127.0.0.1, not for 192.0.2.7"),
    ("r.example", "IP:127.0.0.1", "127.0.0.1, not for r.example"), ("192.0.2.7", "DNS:r.example", "r.example, not for 192.0.2.7"),
  ])
  func `through a proxy nobody is taken for another, the proxy neither`(target: String, names: String, words: String) async throws {
    try await withScratch { scratch in
      let (result, targets) = try await pull(target, of: names, scratch)
      let fault = await fault { _ = try result.get() }
      #expect(fault.message.contains("TLS: the host's certificate is for \(words)"), "\(fault)")
      // Asking again would not help.
      #expect(targets.count == 1)
    }
  }

  @Test func `a proxy's own certificate is compared with its name, too`() async throws {
    try await withScratch { scratch in
      let (result, targets) = try await pull("r.example", of: nil, proxy: ("localhost", true), scratch)
      let fault = await fault { _ = try result.get() }
      #expect(fault.message.contains("TLS: the host's certificate is for 127.0.0.1, not for localhost"), "\(fault)")
      #expect(targets.isEmpty, "not even a tunnel is asked for: that would show the password")
      let right = try await pull("r.example", of: nil, proxy: ("127.0.0.1", true), scratch)
      #expect((try? right.result.get()) == image.layer)
    }
  }

  @Test(arguments: [
    ("r.example", true), ("R.Example.", true), ("a.s.example", true), ("s.example", false), ("a.b.s.example", false), (".s.example", false),
    ("10.0.0.1", true), ("10.0.0.2", false), ("::ffff:10.0.0.1", true), ("2001:db8::1", true), ("2001:0db8::0:1", true),
    ("xr.example", false),
    ("address", false), ("", false), ("*.s.example", true),
  ])
  func `a certificate is for its alternative names`(host: String, isOne: Bool) async throws {
    try await withScratch { scratch in
      let identity = try await TestAuthority(in: scratch).issue(
        "address", alternatives: "DNS:R.example,DNS:*.s.example,IP:10.0.0.1,IP:2001:db8::1,email:a@b.example")
      let certificate = try #require(try NIOSSLCertificate.fromPEMFile(identity.certificate).first)
      #expect(CertificateNames(certificate).contain(host) == isOne)
    }
  }
}
