import Core
import NIOCore
import NIOHTTP1
import OCI
import Registry
import Support
import Testing

/// Bearer tokens, from a registry and a token endpoint of our own.
@Suite(.serialized) struct AuthenticationTests {
  private let image = SampleImage(layerSize: 100_000)

  private func credentials(_ change: (inout RegistryCredentials) -> Void = { _ in }) -> RegistryCredentials {
    var credentials = RegistryCredentials()
    credentials.username = "user"
    credentials.password = "secret"
    change(&credentials)
    return credentials
  }

  private static let basic = "Basic dXNlcjpzZWNyZXQ="

  /// A registry that wants the token "good" and sends others to `realm`.
  private func guarded(_ realm: String, scope: String = "repository:test/image:pull") -> HostileServer.Script {
    let image = image
    return { request in
      guard request.authorization == "Bearer good" else {
        let challenge = "Bearer realm=\"\(realm)\",service=\"the, registry\",scope=\"\(scope)\""
        return .response(
          401, ["WWW-Authenticate": challenge], text: #"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#)
      }
      return request.path.contains("/manifests/")
        ? .response(200, ["Content-Type": MediaType.ociManifest], image.manifest) : .blob(image.layer, request)
    }
  }

  private func withGuarded(
    tokens: @escaping HostileServer.Script, scope: String = "repository:test/image:pull",
    _ body: (RegistryClient, _ registry: HostileServer, _ tokens: HostileServer) async throws -> Void
  ) async throws {
    try await withHostileServer(tokens) { tokens in
      try await withHostileServer(guarded("http://\(tokens.authority)/token?fixed=1", scope: scope)) { registry in
        try await withClient { try await body($0, registry, tokens) }
      }
    }
  }

  @Test func aTokenIsFetchedOnceWithTheUsersPassword() async throws {
    try await withGuarded(tokens: { _ in .response(200, text: #"{"token":"good","expires_in":300}"#) }) { client, registry, tokens in
      for _ in 0..<2 { _ = try await client.manifest(.test(registry.authority), credentials: credentials()) }
      _ = try await client.bytes(image.descriptor, of: .test(registry.authority), credentials: credentials())
      #expect(tokens.requests.map(\.authorization) == [Self.basic])
      #expect(tokens.requests[0].query == "fixed=1&service=the%2C%20registry&scope=repository%3Atest%2Fimage%3Apull&account=user")
      #expect(registry.requests.map(\.authorization) == [nil, "Bearer good", "Bearer good", "Bearer good"])
    }
  }

  @Test func withoutCredentialsATokenIsFetchedAnonymously() async throws {
    try await withGuarded(tokens: { _ in .response(200, text: #"{"access_token":"good"}"#) }) { client, registry, tokens in
      _ = try await client.manifest(.test(registry.authority), credentials: nil)
      _ = try await client.manifest(.test(registry.authority), credentials: RegistryCredentials())
      #expect(tokens.requests.map(\.authorization) == [nil])
    }
  }

  @Test func tokensAreNotSharedBetweenCredentials() async throws {
    try await withGuarded(tokens: {
      $0.authorization == Self.basic ? .response(200, text: #"{"token":"good"}"#) : .response(401, text: "no")
    }) {
      client, registry, tokens in
      _ = try await client.manifest(.test(registry.authority), credentials: credentials())
      let other = await fault {
        _ = try await client.manifest(.test(registry.authority), credentials: credentials { $0.password = "wrong" })
      }
      #expect(other.code == .unauthenticated)
      #expect(other.message.contains("token endpoint http://\(tokens.authority)/token: 401 Unauthorized: no"), "\(other)")
      #expect(!other.message.contains("wrong"))
      let none = await fault { _ = try await client.manifest(.test(registry.authority), credentials: nil) }
      #expect(none.code == .unauthenticated)
    }
  }

  @Test func anIdentityTokenIsExchangedByPost() async throws {
    try await withGuarded(tokens: { _ in .response(200, text: #"{"access_token":"good","expires_in":60}"#) }) { client, registry, tokens in
      _ = try await client.manifest(.test(registry.authority), credentials: credentials { $0.identityToken = "refresh/me&" })
      #expect(tokens.requests.map(\.method) == ["POST"])
      #expect(
        tokens.requests[0].body
          == "grant_type=refresh_token&service=the%2C%20registry&client_id=berth&scope=repository%3Atest%2Fimage%3Apull&refresh_token=refresh%2Fme%26"
      )
      #expect(tokens.requests[0].authorization == nil)
    }
  }

  @Test func aRegistryTokenIsSentAsItIs() async throws {
    try await withGuarded(tokens: { _ in .response(500) }) { client, registry, tokens in
      _ = try await client.manifest(.test(registry.authority), credentials: credentials { $0.registryToken = "good" })
      #expect(registry.requests.map(\.authorization) == ["Bearer good"])
      let fault = await fault {
        _ = try await client.manifest(.test(registry.authority), credentials: credentials { $0.registryToken = "bad" })
      }
      #expect(fault.code == .unauthenticated)
      #expect(fault.message.contains("UNAUTHORIZED: authentication required"), "\(fault)")
      #expect(tokens.requests.isEmpty)
    }
  }

  @Test func anExpiredTokenIsFetchedAgain() async throws {
    try await withGuarded(tokens: { _ in .response(200, text: #"{"token":"good","expires_in":0}"#) }) { client, registry, tokens in
      for _ in 0..<2 { _ = try await client.manifest(.test(registry.authority), credentials: credentials()) }
      #expect(tokens.requests.count == 2)
    }
  }

  @Test func aTokenThatIsRefusedIsNotTriedForEver() async throws {
    try await withGuarded(tokens: { _ in .response(200, text: #"{"token":"bad","expires_in":300}"#) }) { client, registry, tokens in
      let fault = await fault { _ = try await client.manifest(.test(registry.authority), credentials: credentials()) }
      #expect(fault.code == .unauthenticated)
      #expect(registry.requests.count <= 3)
      #expect(tokens.requests.count <= 2)
    }
  }

  @Test func manyBlobsAtOnceFetchOneToken() async throws {
    let slow: HostileServer.Script = { _ in [.pause(.milliseconds(100))] + .response(200, text: #"{"token":"good","expires_in":300}"#) }
    try await withGuarded(tokens: slow) { client, registry, tokens in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<6 { group.addTask { _ = try await client.bytes(image.descriptor, of: .test(registry.authority), credentials: nil) } }
        try await group.waitForAll()
      }
      #expect(tokens.requests.count == 1)
    }
  }

  @Test(arguments: ["", "{}", "[1", #"{"token":""}"#, #"{"token":"a\r\nEvil: 1"}"#, #"{"token":5}"#])
  func anAnswerWithoutATokenIsAnError(answer: String) async throws {
    try await withGuarded(tokens: { _ in .response(200, text: answer) }) { client, registry, tokens in
      let fault = await fault { _ = try await client.manifest(.test(registry.authority), credentials: nil) }
      #expect(fault.message.contains("the answer has no token"), "\(fault)")
    }
  }

  @Test(arguments: ["ftp://x/token", "", "http://a@b/token", "http://"]) func aRealmThatIsNoAddressIsRefused(realm: String) async throws {
    try await withHostileServer(guarded(realm)) { registry in
      try await withClient { client in
        let fault = await fault { _ = try await client.manifest(.test(registry.authority), credentials: credentials()) }
        #expect(fault.code == .unauthenticated)
      }
    }
  }

  @Test func basicCredentialsAreSentWhenAskedForAndThenAtOnce() async throws {
    let image = image
    try await withHostileServer({ request in
      request.authorization == Self.basic
        ? .response(200, ["Content-Type": MediaType.ociManifest], image.manifest)
        : .response(401, ["WWW-Authenticate": "Digest realm=\"a\", Basic realm=\"b\""])
    }) { server in
      try await withClient { client in
        for _ in 0..<2 { _ = try await client.manifest(.test(server.authority), credentials: credentials()) }
        #expect(server.requests.map(\.authorization) == [nil, Self.basic, Self.basic])
        let wrong = await fault { _ = try await client.manifest(.test(server.authority), credentials: credentials { $0.password = "x" }) }
        #expect(wrong.code == .unauthenticated)
        let none = await fault { _ = try await client.manifest(.test(server.authority), credentials: nil) }
        #expect(none.code == .unauthenticated)
      }
    }
  }

  @Test func credentialsForAnotherHostAreNotSent() async throws {
    try await withHostileServer({ _ in .response(401, ["WWW-Authenticate": "Basic realm=\"b\""]) }) { server in
      try await withClient { client in
        for other in ["other.example", "https://127.0.0.1/v1/", "127.0.0.1:1", "https://index.docker.io/v1/"] {
          let fault = await fault {
            _ = try await client.manifest(.test(server.authority), credentials: credentials { $0.serverAddress = other })
          }
          #expect(fault.code == .unauthenticated)
        }
        #expect(server.requests.allSatisfy { $0.authorization == nil })
        for own in [server.authority, "http://\(server.authority)/v2/", "https://\(server.authority)"] {
          _ = await fault { _ = try await client.manifest(.test(server.authority), credentials: credentials { $0.serverAddress = own }) }
          #expect(server.requests.last?.authorization == Self.basic)
        }
      }
    }
  }
}
