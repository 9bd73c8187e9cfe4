import Core
import Linux
import NIOCore
import NIOHTTP1
import NIOSSL
import OCI
import Registry
import Settings
import Support
import Testing

/// docker-registry behind TLS, client certificates and passwords.
@Suite(.serialized) struct SecureRegistryTests {
  private let image = SampleImage(layerSize: 500_000)

  /// Pulls from `registry`, whose hosts.toml says `settings` below an https server.
  private func pull(_ registry: LocalRegistry, _ settings: String, _ scratch: String) async throws {
    let domain = registry.authority
    try Files.makeDirectories("\(scratch)/\(domain)")
    try Files.write("server = 'https://\(domain)'\n\(settings)", to: "\(scratch)/\(domain)/hosts.toml")
    try await withClient(HostsDirectory(roots: [scratch])) { client in
      let manifest = try await client.manifest(.test(domain), credentials: nil)
      #expect(manifest.digest == image.digest)
      let bytes = try await client.bytes(image.descriptor, of: .test(domain))
      #expect(bytes == image.layer)
    }
  }

  @Test func aRegistryOfAnAuthorityOfOnesOwnIsTrustedWhenToldSo() async throws {
    try await withScratch { scratch in
      let authority = try await TestAuthority(in: scratch)
      let stranger = try await TestAuthority(in: scratch, name: "stranger")
      let server = try await authority.issue("server")
      var options = LocalRegistry.Options()
      options.certificate = server.certificate
      options.key = server.key
      try await withLocalRegistry(options) { registry in
        try registry.add(image)
        try await pull(registry, "ca = '\(authority.certificate)'", scratch)
        try await pull(registry, "skip_verify = true", scratch)
        for settings in ["", "ca = '\(stranger.certificate)'"] {
          let fault = await fault { try await pull(registry, settings, scratch) }
          #expect(fault.code == .unavailable)
          #expect(fault.message.contains("not signed by a trusted authority"), "\(fault)")
        }
        let noFile = await fault { try await pull(registry, "ca = 'missing.pem'", scratch) }
        #expect(noFile.code == .failedPrecondition)
        #expect(noFile.message.contains("missing.pem: no such file"), "\(noFile)")
      }
    }
  }

  @Test func aCertificateOfAnotherNameIsRefused() async throws {
    try await withScratch { scratch in
      let authority = try await TestAuthority(in: scratch)
      let server = try await authority.issue("server", alternatives: "DNS:other.example")
      var options = LocalRegistry.Options()
      options.certificate = server.certificate
      options.key = server.key
      try await withLocalRegistry(options) { registry in
        let fault = await fault { try await pull(registry, "ca = '\(authority.certificate)'", scratch) }
        #expect(fault.code == .unavailable)
        #expect(fault.message.contains("TLS"), "\(fault)")
      }
    }
  }

  @Test func aRegistryMayWantAClientsCertificate() async throws {
    try await withScratch { scratch in
      let authority = try await TestAuthority(in: scratch)
      let server = try await authority.issue("server")
      let client = try await authority.issue("client")
      var options = LocalRegistry.Options()
      options.certificate = server.certificate
      options.key = server.key
      options.clientAuthority = authority.certificate
      try await withLocalRegistry(options) { registry in
        try registry.add(image)
        try await pull(registry, "ca = '\(authority.certificate)'\nclient = [['\(client.certificate)', '\(client.key)']]", scratch)
        let fault = await fault { try await pull(registry, "ca = '\(authority.certificate)'", scratch) }
        #expect(fault.code == .unavailable)
        let swapped = await RegistryTests.fault {
          try await pull(registry, "ca = '\(authority.certificate)'\nclient = [['\(client.key)', '\(client.certificate)']]", scratch)
        }
        #expect(swapped.code == .failedPrecondition)
        #expect(swapped.message.contains("registry client certificate \(client.key)"), "\(swapped)")
      }
    }
  }

  @Test func aPasswordFileIsMetWithBasicCredentials() async throws {
    try await withScratch { scratch in
      let output = try await Command.run("/usr/bin/htpasswd", ["-Bbn", "user", "secret"], timeout: .seconds(30))
      try Files.write(output.stdout, to: "\(scratch)/htpasswd")
      var options = LocalRegistry.Options()
      options.htpasswd = "\(scratch)/htpasswd"
      try await withLocalRegistry(options) { registry in
        try registry.add(image)
        try await withClient { client in
          var credentials = RegistryCredentials()
          credentials.username = "user"
          credentials.password = "secret"
          _ = try await client.manifest(.test(registry.authority), credentials: credentials)
          let bytes = try await client.bytes(image.descriptor, of: .test(registry.authority), credentials: credentials)
          #expect(bytes == image.layer)
          credentials.password = "wrong"
          for wrong in [credentials, nil] {
            let fault = await fault { _ = try await client.manifest(.test(registry.authority), credentials: wrong) }
            #expect(fault.code == .unauthenticated)
            #expect(fault.message.contains("UNAUTHORIZED: authentication required"), "\(fault)")
          }
        }
      }
    }
  }

  @Test func aSecureHostMayNotRedirectOrSendPasswordsToAnInsecureOne() async throws {
    try await withScratch { scratch in
      let identity = try await TestAuthority(in: scratch).issue("server")
      let tls = try TLSConfiguration.makeServerConfiguration(
        certificateChain: NIOSSLCertificate.fromPEMFile(identity.certificate).map { .certificate($0) },
        privateKey: .privateKey(NIOSSLPrivateKey(file: identity.key, format: .pem)))
      try await withHostileServer({ _ in .response(200, text: #"{"token":"good"}"#) }) { plain in
        let place = "http://\(plain.authority)/x"
        try await withHostileServer(
          tls: NIOSSLContext(configuration: tls),
          { request in
            request.path.contains("/manifests/")
              ? .response(401, ["WWW-Authenticate": "Bearer realm=\"\(place)\""]) : .response(307, ["Location": place])
          }
        ) { secure in
          let redirected = await fault { try await ask(secure, scratch, manifest: false) }
          #expect(redirected.code == .permissionDenied)
          #expect(redirected.message.contains("redirects from https to http://\(plain.authority)/x, which is refused"), "\(redirected)")
          let realm = await fault { try await ask(secure, scratch, manifest: true) }
          #expect(realm.code == .unauthenticated)
          #expect(realm.message.contains("token endpoint \(place) is not https"), "\(realm)")
        }
        #expect(plain.requests.isEmpty)
      }
    }
  }

  private func ask(_ server: HostileServer, _ scratch: String, manifest: Bool) async throws {
    try Files.makeDirectories("\(scratch)/\(server.authority)")
    try Files.write("server = 'https://\(server.authority)'\nskip_verify = true", to: "\(scratch)/\(server.authority)/hosts.toml")
    var credentials = RegistryCredentials()
    credentials.username = "user"
    credentials.password = "secret"
    try await withClient(HostsDirectory(roots: [scratch])) { client in
      if manifest {
        _ = try await client.manifest(.test(server.authority), credentials: credentials)
      } else {
        _ = try await client.bytes(image.descriptor, of: .test(server.authority), credentials: credentials)
      }
    }
  }
}
