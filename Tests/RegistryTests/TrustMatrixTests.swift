import Core
import Linux
import NIOCore
import NIOSSL
import OCI
import Registry
import Settings
import Support
import Testing

/// Certificates of every kind, right and wrong: what a pull does, and what it says.
@Suite(.serialized) struct TrustMatrixTests {
  private let image = SampleImage(layerSize: 600_000)

  private func pull(_ domain: String, _ settings: String, _ scratch: String) async throws {
    try Files.makeDirectories("\(scratch)/\(domain)")
    try Files.write("server = 'https://\(domain)'\n\(settings)", to: "\(scratch)/\(domain)/hosts.toml")
    try await withClient(HostsDirectory(roots: [scratch])) { client in
      _ = try await client.manifest(.test(domain), credentials: nil)
      let bytes = try await client.bytes(image.descriptor, of: .test(domain))
      #expect(bytes == image.layer)
    }
  }

  /// Stage, host and cause have to be in what a failure says.
  private func expect(_ words: String, _ domain: String, _ settings: String, _ scratch: String, code: Fault.Code = .unavailable) async {
    let fault = await fault { try await pull(domain, settings, scratch) }
    #expect(fault.code == code, "\(fault)")
    let stage = "registry \(domain): manifest of test/image:latest: GET https://\(domain)/v2/test/image/manifests/latest: "
    #expect(fault.message.hasPrefix(stage) && fault.message.contains(words), "\(words): \(fault)")
  }

  @Test func `certificates that are expired, early, for another name or of a stranger are told apart`() async throws {
    try await withScratch { scratch in
      let authority = try await TestAuthority(in: scratch)
      let stranger = try await TestAuthority(in: scratch, name: "stranger")
      let trust = "ca = '\(authority.certificate)'"
      try await withLocalRegistry { registry in
        try registry.add(image)
        func serve(_ identity: TestAuthority.Identity, _ body: (String) async throws -> Void) async throws {
          try await TLSTerminator.with(identity, backend: registry.port) { try await body($0.authority) }
        }
        try await serve(try await authority.issue("good")) { domain in
          try await pull(domain, trust, scratch)
          try await pull(domain, "skip_verify = true", scratch)
          await expect("TLS: the host's certificate is not signed by a trusted authority", domain, "", scratch)
          await expect(
            "TLS: the host's certificate is not signed by a trusted authority", domain, "ca = '\(stranger.certificate)'", scratch)
        }
        try await serve(try await authority.issue("expired", from: "20200101000000Z", until: "20210203000000Z")) { domain in
          await expect("TLS: the host's certificate expired on 2021-02-03", domain, trust, scratch)
          try await pull(domain, "skip_verify = true", scratch)
        }
        try await serve(try await authority.issue("early", from: "20900101000000Z", until: "20910203000000Z")) { domain in
          await expect("TLS: the host's certificate is not valid before 2090-01-01", domain, trust, scratch)
        }
        try await serve(try await authority.issue("other", alternatives: "DNS:other.example,IP:127.0.0.2")) { domain in
          await expect("TLS: the host's certificate is for other.example, 127.0.0.2, not for 127.0.0.1", domain, trust, scratch)
          try await pull(domain, "skip_verify = true", scratch)
        }
      }
    }
  }

  @Test func `a terminator that wants a client's certificate gets the right one, and a wrong one is said`() async throws {
    try await withScratch { scratch in
      let authority = try await TestAuthority(in: scratch)
      let stranger = try await TestAuthority(in: scratch, name: "stranger")
      let (server, client) = (try await authority.issue("server"), try await authority.issue("client"))
      let foreign = try await stranger.issue("foreign")
      let trust = "ca = '\(authority.certificate)'\n"
      try await withLocalRegistry { registry in
        try registry.add(image)
        try await TLSTerminator.with(server, clients: authority.certificate, backend: registry.port) { nginx in
          let both = scratch + "/both.pem"
          try Files.write(try Files.read(client.certificate) + Files.read(client.key), to: both)
          for form in ["[['\(client.certificate)', '\(client.key)']]", "'\(both)'", "['\(both)']", "[['\(both)', '']]"] {
            try await pull(nginx.authority, trust + "client = \(form)", scratch)
          }
          await expect("No required SSL certificate was sent", nginx.authority, trust, scratch, code: .failedPrecondition)
          let wrong = trust + "client = [['\(foreign.certificate)', '\(foreign.key)']]"
          await expect("SSL certificate error", nginx.authority, wrong, scratch, code: .failedPrecondition)
        }
      }
    }
  }

  @Test func `certificates in docker's layout are enough without a hosts toml`() async throws {
    try await withScratch { scratch in
      let authority = try await TestAuthority(in: scratch)
      let (server, client) = (try await authority.issue("server"), try await authority.issue("client"))
      try await withLocalRegistry { registry in
        try registry.add(image)
        try await TLSTerminator.with(server, clients: authority.certificate, backend: registry.port) { nginx in
          // A plain name and port would be loopback and http: docker's layout is for registries that are https by their name.
          let domain = nginx.authority
          let directory = "\(scratch)/certs/127.0.0.1_\(nginx.port)_"
          try Files.makeDirectories(directory)
          for (from, to) in [(authority.certificate, "ca.crt"), (client.certificate, "me.cert"), (client.key, "me.key")] {
            try Files.write(try Files.read(from), to: "\(directory)/\(to)")
          }
          var hosts = try HostsDirectory(roots: [scratch + "/certs"]).hosts(for: domain)
          hosts[0].scheme = .https
          try await withClient(FixedHosts(list: hosts)) { client in
            let bytes = try await client.bytes(image.descriptor, of: .test(domain))
            #expect(bytes == image.layer)
          }
        }
      }
    }
  }

  @Test func `a transfer by TLS that breaks off is resumed with next to nothing twice`() async throws {
    try await withScratch { scratch in
      let authority = try await TestAuthority(in: scratch)
      let identity = try await authority.issue("server")
      let tls = try TLSConfiguration.makeServerConfiguration(
        certificateChain: NIOSSLCertificate.fromPEMFile(identity.certificate).map { .certificate($0) },
        privateKey: .privateKey(NIOSSLPrivateKey(file: identity.key, format: .pem)))
      let big = SampleImage(layerSize: 9_000_000)
      let layer = big.layer
      try await withHostileServer(tls: NIOSSLContext(configuration: tls), { .blob(layer, $0, limit: 2_000_000) }) { server in
        var host = RegistryHost(scheme: .https, authority: server.authority)
        host.tls.authorities = [authority.certificate]
        try await withClient(FixedHosts(list: [host])) { client in
          let bytes = try await client.bytes(big.descriptor, of: .test(server.authority))
          #expect(bytes == layer)
        }
        let offsets = server.requests.map(\.from)
        let lost = zip(offsets, offsets.dropFirst()).map { $0 + 2_000_000 - $1 }
        #expect(lost.allSatisfy { (0...(100 << 10)).contains($0) }, "\(lost)")
      }
    }
  }
}
