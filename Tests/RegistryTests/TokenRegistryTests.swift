import Core
import Linux
import NIOCore
import OCI
import Registry
import Support
import Synchronization
import Testing

/// docker-registry that wants bearer tokens, and a token server of the test's own.
@Suite(.serialized) struct TokenRegistryTests {
  private let image = SampleImage(layerSize: 400_000)

  /// What the token server gives: by credentials (`Basic …`, or the form of a POST), in the order of the requests.
  private struct Tokens: Sendable {
    var allowed: @Sendable (HostileServer.Request) -> Bool = { _ in true }
    var answers: [String]
    var expiresIn = 300
  }

  private func run(
    _ scratch: String, _ authority: TokenAuthority, _ tokens: Tokens,
    _ body: (RegistryClient, LocalRegistry, HostileServer) async throws -> Void
  ) async throws {
    let script: HostileServer.Script = { request in
      guard tokens.allowed(request) else {
        return .response(401, text: #"{"errors":[{"code":"UNAUTHORIZED","message":"wrong password"}]}"#)
      }
      let token = tokens.answers[min(request.number, tokens.answers.count - 1)]
      return .response(200, text: #"{"token":"\#(token)","expires_in":\#(tokens.expiresIn)}"#)
    }
    try await withHostileServer(script) { server in
      try await withLocalRegistry(authority.options(realm: "http://\(server.authority)/token")) { registry in
        try registry.add(image)
        try await withClient { try await body($0, registry, server) }
      }
    }
  }

  private func credentials(_ password: String = "secret") -> RegistryCredentials {
    var credentials = RegistryCredentials()
    (credentials.username, credentials.password) = ("user", password)
    return credentials
  }

  private static let basic = "Basic dXNlcjpzZWNyZXQ="

  @Test func `a pull asks for one token, with the password, for the repository`() async throws {
    try await withScratch { scratch in
      let authority = try await TokenAuthority(in: scratch)
      let token = try await authority.token([("test/image", ["pull"])])
      try await run(scratch, authority, Tokens(allowed: { $0.authorization == Self.basic }, answers: [token])) { client, registry, tokens in
        _ = try await client.manifest(.test(registry.authority), credentials: credentials())
        let bytes = try await client.bytes(image.descriptor, of: .test(registry.authority), credentials: credentials())
        #expect(bytes == image.layer)
        #expect(tokens.requests.map(\.method) == ["GET"])
        #expect(tokens.requests[0].query == "service=test-service&scope=repository%3Atest%2Fimage%3Apull&account=user")
        let wrong = await fault { _ = try await client.manifest(.test(registry.authority), credentials: credentials("wrong")) }
        #expect(wrong.code == .unauthenticated)
        #expect(
          wrong.message.contains("token endpoint http://\(tokens.authority)/token: 401")
            && wrong.message.contains("UNAUTHORIZED: wrong password"),
          "\(wrong)")
      }
    }
  }

  @Test func `a token that the registry takes no longer is renewed in the middle of a pull`() async throws {
    try await withScratch { scratch in
      let authority = try await TokenAuthority(in: scratch)
      let old = try await authority.token([("test/image", ["pull"])], lifetime: -3600)
      let fresh = try await authority.token([("test/image", ["pull"])])
      try await run(scratch, authority, Tokens(answers: [fresh, old, fresh], expiresIn: 0)) { client, registry, tokens in
        _ = try await client.manifest(.test(registry.authority), credentials: nil)
        let bytes = try await client.bytes(image.descriptor, of: .test(registry.authority))
        #expect(bytes == image.layer)
        #expect(tokens.requests.count == 3)
      }
    }
  }

  @Test func `an identity token is exchanged by POST`() async throws {
    try await withScratch { scratch in
      let authority = try await TokenAuthority(in: scratch)
      let token = try await authority.token([("test/image", ["pull"])])
      let allowed: @Sendable (HostileServer.Request) -> Bool = {
        $0.method == "POST" && $0.body.hasPrefix("grant_type=refresh_token&") && $0.body.hasSuffix("&refresh_token=refresh")
      }
      try await run(scratch, authority, Tokens(allowed: allowed, answers: [token])) { client, registry, tokens in
        var credentials = RegistryCredentials()
        credentials.identityToken = "refresh"
        _ = try await client.manifest(.test(registry.authority), credentials: credentials)
        #expect(tokens.requests.count == 1)
      }
    }
  }

  @Test func `a token server without GET is asked by POST`() async throws {
    try await withScratch { scratch in
      let authority = try await TokenAuthority(in: scratch)
      let token = try await authority.token([("test/image", ["pull"])])
      let script: HostileServer.Script = { request in
        if request.method == "GET" { return .response(405) }
        let isRight = request.body.contains("grant_type=password&") && request.body.hasSuffix("&username=user&password=secret")
        return isRight ? .response(200, text: #"{"access_token":"\#(token)"}"#) : .response(401)
      }
      try await withHostileServer(script) { server in
        try await withLocalRegistry(authority.options(realm: "http://\(server.authority)/token")) { registry in
          try registry.add(image)
          try await withClient { client in
            _ = try await client.manifest(.test(registry.authority), credentials: credentials())
            #expect(server.requests.map(\.method) == ["GET", "POST"])
          }
        }
      }
    }
  }

  @Test func `each repository has a token of its own, and one for another is not enough`() async throws {
    try await withScratch { scratch in
      let authority = try await TokenAuthority(in: scratch)
      let other = try await authority.token([("test/other", ["pull"])])
      try await run(scratch, authority, Tokens(answers: [other])) { client, registry, tokens in
        let fault = await fault { _ = try await client.manifest(.test(registry.authority), credentials: credentials()) }
        #expect(fault.code == .unauthenticated)
        #expect(fault.message.contains("401") && fault.message.contains("UNAUTHORIZED"), "\(fault)")
        #expect(tokens.requests.count <= 2)
        let named = ImageReference(domain: registry.authority, path: "test/other", tag: "latest", digest: nil)
        let missing = await RegistryTests.fault { _ = try await client.manifest(named, credentials: credentials()) }
        #expect(missing.code == .notFound, "allowed, but not there: \(missing)")
        let scopes = Set(tokens.requests.map { $0.query })
        #expect(scopes.count == 2 && scopes.contains { $0.contains("repository%3Atest%2Fother%3Apull") })
      }
    }
  }

  @Test func `a registry token is taken as it is`() async throws {
    try await withScratch { scratch in
      let authority = try await TokenAuthority(in: scratch)
      var given = RegistryCredentials()
      given.registryToken = try await authority.token([("test/image", ["pull"])])
      try await run(scratch, authority, Tokens(answers: ["none"])) { client, registry, tokens in
        _ = try await client.manifest(.test(registry.authority), credentials: given)
        #expect(tokens.requests.isEmpty)
      }
    }
  }
}
