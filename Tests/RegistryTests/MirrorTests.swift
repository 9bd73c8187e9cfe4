import Core
import Linux
import NIOCore
import NIOHTTP1
import OCI
import Registry
import Settings
import Support
import Testing

/// Mirrors through real hosts.toml files.
@Suite(.serialized) struct MirrorTests {
  private let image = SampleImage(layerSize: 200_000)

  private var credentials: RegistryCredentials {
    var credentials = RegistryCredentials()
    credentials.username = "user"
    credentials.password = "secret"
    return credentials
  }

  private var serving: HostileServer.Script {
    let image = image
    return { request in
      request.path.contains("/manifests/")
        ? .response(200, ["Content-Type": MediaType.ociManifest], image.manifest) : .blob(image.layer, request)
    }
  }

  /// A client for the registry `reg.example`, whose `hosts.toml` says `text`.
  private func withHosts(_ text: String, _ body: (RegistryClient, ImageReference) async throws -> Void) async throws {
    try await withScratch { scratch in
      try Files.makeDirectories("\(scratch)/reg.example")
      try Files.write(text, to: "\(scratch)/reg.example/hosts.toml")
      try await withClient(HostsDirectory(roots: [scratch])) { try await body($0, .test("reg.example")) }
    }
  }

  private func pull(_ client: RegistryClient, _ reference: ImageReference) async throws {
    let manifest = try await client.manifest(reference, credentials: credentials)
    #expect(manifest.digest == image.digest)
    let bytes = try await client.bytes(image.descriptor, of: reference, credentials: credentials)
    #expect(bytes == image.layer)
  }

  @Test func theMirrorIsAskedFirstAndToldTheRegistry() async throws {
    try await withHostileServer(serving) { mirror in
      try await withHostileServer(serving) { server in
        try await withHosts("server = 'http://\(server.authority)'\n[host.'http://\(mirror.authority)']") { try await pull($0, $1) }
        #expect(server.requests.isEmpty)
      }
      #expect(mirror.requests.map(\.query) == ["ns=reg.example", "ns=reg.example"])
      #expect(mirror.requests.map(\.path) == ["/v2/test/image/manifests/latest", "/v2/test/image/blobs/\(image.descriptor.digest)"])
    }
  }

  @Test(arguments: [401, 403, 404, 429, 500, 503]) func aMirrorThatFailsIsPassedOver(status: Int) async throws {
    try await withHostileServer({ _ in .response(status, ["WWW-Authenticate": "Basic realm=\"m\"", "Retry-After": "30"]) }) { mirror in
      try await withHostileServer(serving) { server in
        try await withHosts("server = 'http://\(server.authority)'\n[host.'http://\(mirror.authority)']") { try await pull($0, $1) }
        #expect(server.requests.count == 2)
      }
      // Whoever asks to be left alone is not asked for the blob.
      #expect(mirror.requests.count == ([429, 503].contains(status) ? 1 : 2))
      #expect(mirror.requests.allSatisfy { $0.authorization == nil }, "credentials are never sent to a mirror")
    }
  }

  @Test func aMirrorThatIsDownIsPassedOver() async throws {
    let port = try await Loopback.freePort()
    try await withHostileServer(serving) { server in
      try await withHosts("server = 'http://\(server.authority)'\n[host.'http://127.0.0.1:\(port)']") { try await pull($0, $1) }
    }
  }

  @Test func aMirrorWithTheWrongContentIsPassedOver() async throws {
    let reference = ImageReference.test("reg.example", digest: image.digest)
    try await withHostileServer({ _ in .response(200, ["Content-Type": MediaType.ociManifest], text: "{}") }) { mirror in
      try await withHostileServer(serving) { server in
        try await withHosts("server = 'http://\(server.authority)'\n[host.'http://\(mirror.authority)']") { client, _ in
          let manifest = try await client.manifest(reference, credentials: nil)
          #expect(manifest.bytes == image.manifest)
        }
      }
    }
  }

  @Test func aMirrorThatBreaksOffIsContinuedElsewhere() async throws {
    let layer = image.layer
    try await withHostileServer({ $0.number == 0 ? .blob(layer, $0, limit: 50_000) : [.close] }) { mirror in
      try await withHostileServer(serving) { server in
        try await withHosts("server = 'http://\(server.authority)'\n[host.'http://\(mirror.authority)']") { client, reference in
          let bytes = try await client.bytes(image.descriptor, of: reference)
          #expect(bytes == layer)
        }
        expectResumed([0] + server.requests.map(\.from), brokenAt: 50_000)
      }
    }
  }

  @Test func aMirrorThatMayNotResolveIsAskedForDigestsOnly() async throws {
    try await withHostileServer(serving) { mirror in
      try await withHostileServer(serving) { server in
        try await withHosts("server = 'http://\(server.authority)'\n[host.'http://\(mirror.authority)']\ncapabilities = ['pull']") {
          try await pull($0, $1)
        }
        #expect(server.requests.map(\.path) == ["/v2/test/image/manifests/latest"])
      }
      #expect(mirror.requests.map(\.path) == ["/v2/test/image/blobs/\(image.descriptor.digest)"])
    }
  }

  @Test func allFailuresAreNamed() async throws {
    try await withHostileServer({ _ in .response(404, text: "not here") }) { mirror in
      try await withHostileServer({ _ in .response(403, text: "go away") }) { server in
        try await withHosts("server = 'http://\(server.authority)'\n[host.'http://\(mirror.authority)']") { client, reference in
          let fault = await fault { _ = try await client.manifest(reference, credentials: nil) }
          #expect(fault.code == .permissionDenied)
          #expect(
            fault.message.hasPrefix("registry reg.example: manifest of test/image:latest: GET http://\(server.authority)/v2/"), "\(fault)")
          #expect(fault.message.contains("403 Forbidden: go away; before that GET http://\(mirror.authority)/v2/"), "\(fault)")
          #expect(fault.message.contains("404 Not Found: not here"))
        }
      }
    }
  }

  @Test func theServerOfTheFileGetsTheRegistrysCredentialsAndItsHeaders() async throws {
    let image = image
    try await withHostileServer({ request in
      request.authorization == "Basic dXNlcjpzZWNyZXQ=" && request.headers.first(name: "X-Own") == "yes"
        ? .response(200, ["Content-Type": MediaType.ociManifest], image.manifest)
        : .response(401, ["WWW-Authenticate": "Basic realm=\"s\""])
    }) { server in
      try await withHosts("server = 'http://\(server.authority)/api'\noverride_path = true\n[header]\nx-own = 'yes'") { client, reference in
        _ = try await client.manifest(reference, credentials: credentials)
      }
      #expect(server.requests.allSatisfy { $0.path == "/api/test/image/manifests/latest" })
    }
  }

  @Test func whenNoHostMayResolveThatIsSaid() async throws {
    try await withHosts("server = 'https://reg.example'\ncapabilities = ['pull']") { client, reference in
      let fault = await fault { _ = try await client.manifest(reference, credentials: nil) }
      #expect(fault.code == .failedPrecondition)
      #expect(fault.message.contains("hosts.toml"))
    }
  }
}
