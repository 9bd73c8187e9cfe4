import Core
import Linux
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import OCI
import Settings
import Support
import Synchronization
import Testing

@testable import Registry

/// Helpers that answer from a list and count.
private final class ScriptedHelpers: CredentialHelpers {
  let answers: [String: [RegistryCredentials?]]
  let asked = Mutex<[String]>([])
  let forgotten = Mutex<[RegistryCredentials]>([])

  init(_ answers: [String: [RegistryCredentials?]]) { self.answers = answers }

  func credentials(_ helper: CredentialHelper) throws -> RegistryCredentials? {
    asked.withLock { $0.append(helper.server) }
    guard let all = answers[helper.server] else { throw Fault(.failedPrecondition, "credential helper \(helper.name): broken") }
    return all[min(forgotten.withLock { $0.count }, all.count - 1)]
  }

  func forget(_ helper: CredentialHelper, _ credentials: RegistryCredentials) { forgotten.withLock { $0.append(credentials) } }
}

/// Whose credentials go where, when the node has some of its own.
@Suite(.serialized) struct IdentityTests {
  private let image = SampleImage(layerSize: 100_000)

  private func user(_ name: String) -> RegistryCredentials {
    var credentials = RegistryCredentials()
    (credentials.username, credentials.password) = (name, "p")
    return credentials
  }

  private func basic(_ name: String) -> String { user(name).basic ?? "" }

  /// A registry that takes the users `names`.
  private func registry(_ names: String...) -> HostileServer.Script {
    let (image, allowed) = (image, names.map { basic($0) })
    return { request in
      guard let shown = request.authorization, allowed.contains(shown) else {
        return .response(401, ["WWW-Authenticate": "Basic realm=\"r\""])
      }
      return request.path.contains("/manifests/")
        ? .response(200, ["Content-Type": MediaType.ociManifest], image.manifest) : .blob(image.layer, request)
    }
  }

  private func host(_ server: HostileServer, _ identity: RegistryIdentity?, isServer: Bool = true) -> RegistryHost {
    var host = RegistryHost(scheme: .http, authority: server.authority)
    host.isServer = isServer
    host.identities = identity.map { [ScopedIdentity($0)] } ?? []
    return host
  }

  private func withClient(_ hosts: [RegistryHost], _ helpers: any CredentialHelpers, _ body: (RegistryClient) async throws -> Void)
    async throws
  {
    let client = RegistryClient(
      hosts: FixedHosts(list: hosts), helpers: helpers, group: .singletonMultiThreadedEventLoopGroup, policy: .quick,
      logger: .init(label: "test"))
    let result: Result<Void, any Error>
    do { result = .success(try await body(client)) } catch { result = .failure(error) }
    try await client.shutdown()
    try result.get()
  }

  @Test func `the request's own credentials come first, the node's where the request has none for the host`() async throws {
    try await withHostileServer(registry("node", "pod")) { server in
      let node = RegistryIdentity.credentials(user("node"), from: "/etc/berth/auth.json")
      try await withClient([host(server, node)], NoCredentialHelpers()) { client in
        _ = try await client.manifest(.test(server.authority), credentials: user("pod"))
        #expect(server.requests.compactMap(\.authorization) == [basic("pod")])
        _ = try await client.manifest(.test(server.authority), credentials: nil)
        var foreign = user("pod")
        foreign.serverAddress = "other.example"
        _ = try await client.manifest(.test(server.authority), credentials: foreign)
        #expect(server.requests.compactMap(\.authorization) == [basic("pod"), basic("node"), basic("node")])
        let wrong = await fault { _ = try await client.manifest(.test(server.authority), credentials: user("nobody")) }
        #expect(wrong.code == .unauthenticated, "a pod with a wrong secret does not become the node")
      }
    }
  }

  @Test func `a mirror is shown its own credentials and never the request's or the registry's`() async throws {
    try await withHostileServer(registry("mirror")) { mirror in
      try await withHostileServer(registry("node", "pod")) { server in
        let hosts = [
          host(mirror, .credentials(user("mirror"), from: "m"), isServer: false), host(server, .credentials(user("node"), from: "n")),
        ]
        try await withClient(hosts, NoCredentialHelpers()) { client in
          _ = try await client.manifest(.test("reg.example"), credentials: user("pod"))
          #expect(mirror.requests.map(\.authorization) == [nil, basic("mirror")] && server.requests.isEmpty)
        }
        try await withClient([host(mirror, nil, isServer: false), hosts[1]], NoCredentialHelpers()) { client in
          _ = try await client.manifest(.test("reg.example"), credentials: user("pod"))
          #expect(mirror.requests.dropFirst(2).allSatisfy { $0.authorization == nil })
          #expect(server.requests.compactMap(\.authorization) == [basic("pod")])
        }
      }
    }
  }

  @Test func `neither the node's credentials nor a helper's are shown where a host redirects to`() async throws {
    try await withHostileServer(registry("node")) { store in
      let place = "http://\(store.authority)/blob"
      try await withHostileServer({ request in
        request.authorization == nil ? .response(401, ["WWW-Authenticate": "Basic realm=\"r\""]) : .response(307, ["Location": place])
      }) { server in
        let helpers = ScriptedHelpers(["s": [user("node")]])
        for identity in [RegistryIdentity.credentials(user("node"), from: "n"), .helper(CredentialHelper("h", server: "s", from: "f"))] {
          try await withClient([host(server, identity)], helpers) { client in
            let fault = await fault { _ = try await client.bytes(image.descriptor, of: .test(server.authority)) }
            #expect(fault.code == .unauthenticated)
          }
        }
      }
      #expect(!store.requests.isEmpty && store.requests.allSatisfy { $0.authorization == nil })
    }
  }

  @Test func `a helper is asked only once a host wants to know, and again where its answer is refused`() async throws {
    let open = image
    try await withHostileServer({ _ in .response(200, ["Content-Type": MediaType.ociManifest], open.manifest) }) { server in
      let helpers = ScriptedHelpers([:])
      try await withClient([host(server, .helper(CredentialHelper("h", server: "s", from: "f")))], helpers) { client in
        _ = try await client.manifest(.test(server.authority), credentials: nil)
      }
      #expect(helpers.asked.withLock { $0 } == [])
    }
    try await withHostileServer(registry("new")) { server in
      let helpers = ScriptedHelpers(["s": [user("old"), user("new")]])
      try await withClient([host(server, .helper(CredentialHelper("h", server: "s", from: "f")))], helpers) { client in
        _ = try await client.manifest(.test(server.authority), credentials: nil)
        _ = try await client.manifest(.test(server.authority), credentials: nil)
      }
      #expect(server.requests.map(\.authorization) == [nil, basic("old"), basic("new"), basic("new")])
      #expect(helpers.forgotten.withLock { $0 } == [user("old")])
    }
  }

  @Test func `what is wrong with the node's credentials is said when a host wants them`() async throws {
    try await withHostileServer(registry("x")) { server in
      try await withClient([host(server, .unusable("/etc/berth/auth.json: not valid JSON"))], NoCredentialHelpers()) { client in
        let fault = await fault { _ = try await client.manifest(.test(server.authority), credentials: nil) }
        #expect(fault.code == .failedPrecondition)
        #expect(fault.message.contains("http://\(server.authority): /etc/berth/auth.json: not valid JSON"), "\(fault)")
      }
      try await withClient([host(server, .helper(CredentialHelper("h", server: "t", from: "f")))], ScriptedHelpers([:])) { client in
        let fault = await fault { _ = try await client.manifest(.test(server.authority), credentials: nil) }
        #expect(fault.code == .failedPrecondition)
        #expect(fault.message.contains("http://\(server.authority): credential helper docker-credential-h: broken"), "\(fault)")
      }
    }
  }

  @Test func `explain says whose credentials go where`() async throws {
    try await withHostileServer(registry("a")) { server in
      var scoped = host(server, .credentials(user("a"), from: "/x/hosts.toml"), isServer: false)
      scoped.identities.insert(
        ScopedIdentity(path: "test/image", .helper(CredentialHelper("ecr-login", server: "m", from: "/x/auth.json"))), at: 0)
      let hosts = [scoped, host(server, .unusable("/x: no such file"))]
      try await withClient(hosts, NoCredentialHelpers()) { client in
        let none = try await client.explain(.test("reg.example"), credentials: nil, trying: false)
        #expect(
          none.map(\.credentials) == [
            "what credential helper docker-credential-ecr-login (of /x/auth.json) says for m",
            "anonymous as long as nobody asks: /x: no such file",
          ])
        let own = try await client.explain(.test("reg.example"), credentials: user("pod"), trying: false)
        #expect(own[1].credentials == "the request's user pod")
        let other = ImageReference(domain: "reg.example", path: "other", tag: nil, digest: nil)
        let another = try await client.explain(other, credentials: user("pod"), trying: true)
        #expect(another[0].credentials == "user a of /x/hosts.toml")
        #expect(another[0].answer.hasPrefix(MediaType.ociManifest), "\(another[0].answer)")
      }
    }
  }

  @Test func `scopes of several repositories are asked for at once`() async throws {
    try await withHostileServer({ _ in .response(200, text: #"{"token":"t"}"#) }) { tokens in
      try await withHostileServer({ request in
        request.authorization == "Bearer t"
          ? .response(200)
          : .response(401, ["WWW-Authenticate": "Bearer realm=\"http://\(tokens.authority)/\",scope=\"repository:test/image:pull,push\""])
      }) { server in
        try await withClient([], NoCredentialHelpers()) { client in
          let endpoint = Endpoint(host(server, nil), .test(server.authority), nil, actions: "pull,push", sources: ["base/os"])
          _ = try await client.exchange.ask(Question(path: "tags/list"), of: endpoint)
        }
      }
      #expect(tokens.requests.map(\.query) == ["scope=repository%3Atest%2Fimage%3Apull%2Cpush&scope=repository%3Abase%2Fos%3Apull"])
    }
  }
}
