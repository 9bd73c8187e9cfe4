import CRIAPI
import Core
import GRPC
import Linux
import NIOCore
import NIOSSL
import OCI
import Support
import SwiftProtobuf
import Testing

/// Pulls through a whole berthd from docker-registry over TLS: its authority, clients' certificates, passwords and a token server, with credentials in
/// every form that a kubelet sends.
@Suite(.serialized) struct SecurePullTests {
  private typealias Auth = Runtime_V1_AuthConfig

  private let image: ServedImage

  init() async throws { image = ServedImage([try await PackedLayer([.file("secret", String(repeating: "s", count: 90_000))], .gzip)]) }

  /// What one registry is reached with.
  private struct Trust {
    let scratch: String
    let authority: TestAuthority
    let server: TestAuthority.Identity
    let client: TestAuthority.Identity

    init(in scratch: String) async throws {
      self.scratch = scratch
      authority = try await TestAuthority(in: scratch)
      server = try await authority.issue("server")
      client = try await authority.issue("client")
    }

    var options: LocalRegistry.Options {
      var options = LocalRegistry.Options()
      (options.certificate, options.key) = (server.certificate, server.key)
      return options
    }

    var ca: String { "ca = '\(authority.certificate)'\n" }

    func context(_ identity: TestAuthority.Identity? = nil) throws -> NIOSSLContext {
      let identity = identity ?? server
      return try NIOSSLContext(
        configuration: .makeServerConfiguration(
          certificateChain: NIOSSLCertificate.fromPEMFile(identity.certificate).map { .certificate($0) },
          privateKey: .privateKey(NIOSSLPrivateKey(file: identity.key, format: .pem))))
    }
  }

  /// A node that reads hosts.toml files below its scratch directory.
  private func withNode(_ trust: Trust, _ body: (Node) async throws -> Void) async throws {
    try await Node.with(settings: "[registry]\nconfig_path = \"\(trust.scratch)/certs.d\"\n", body)
  }

  /// Read anew for every pull.
  private func configure(_ authority: String, _ trust: Trust, _ more: String) throws {
    let directory = "\(trust.scratch)/certs.d/\(authority)"
    try Files.makeDirectories(directory)
    try Files.write("server = 'https://\(authority)'\n\(more)", to: directory + "/hosts.toml")
  }

  private func expectRefused(_ node: Node, _ name: String, _ auth: Auth? = nil, _ code: GRPCStatus.Code, _ words: String...) async {
    let error = await #expect(throws: GRPCStatus.self) { _ = try await node.pull(name, auth: auth) }
    #expect(error?.code == code, "\(error?.message ?? "")")
    for word in words + [name] { #expect(error?.message.contains(word) == true, "\(word) is not in: \(error?.message ?? "")") }
    for secret in ["hunter2", "refresh-me"] { #expect(error?.message.contains(secret) == false, "\(error?.message ?? "")") }
  }

  @Test func `an authority of its own and a client's certificate come from hosts toml, and their lack is said`() async throws {
    try await withScratch("trust") { scratch in
      let trust = try await Trust(in: scratch)
      var options = trust.options
      options.clientAuthority = trust.authority.certificate
      try await withLocalRegistry(options) { registry in
        try registry.add(image, to: "team/app", tag: "1")
        let name = registry.authority + "/team/app:1"
        let client = "client = [['\(trust.client.certificate)', '\(trust.client.key)']]\n"
        try await withNode(trust) { node in
          try configure(registry.authority, trust, client)
          await expectRefused(node, name, nil, .unavailable, "manifest", "TLS: the host's certificate is not signed by a trusted authority")
          try configure(registry.authority, trust, trust.ca)
          await expectRefused(node, name, nil, .unavailable, "manifest", "TLS: the host wants a client's certificate that it trusts")
          try configure(registry.authority, trust, "ca = '\(scratch)/none.pem'\n")
          await expectRefused(node, name, nil, .failedPrecondition, "registry certificate authority \(scratch)/none.pem: no such file")
          try configure(registry.authority, trust, trust.ca + client)
          _ = try await node.pull(name)
          try configure(registry.authority, trust, "skip_verify = true\n" + client)
          _ = try await node.pull(name)
          // The same by a mirror: the registry itself is nowhere.
          let mirror = "[host.'https://\(registry.authority)']\n" + trust.ca + client
          try configure("registry.example:5000", trust, mirror)
          _ = try await node.pull("registry.example:5000/team/app:1")
        }
      }
    }
  }

  /// What a request may bring, and whether it is good for `host`. The passwords are right where not said otherwise.
  private func forms(_ host: String) -> [(name: String, auth: Auth?, isGood: Bool)] {
    let pair = "dXNlcjpodW50ZXIy"  // printf user:hunter2 | base64
    func with(_ server: String, _ change: (inout Auth) -> Void) -> Auth {
      var auth = Auth()
      change(&auth)
      auth.serverAddress = server
      return auth
    }
    func password(_ server: String) -> Auth { with(server) { ($0.username, $0.password) = ("user", "hunter2") } }
    func encoded(_ server: String) -> Auth { with(server) { $0.auth = pair } }
    return [
      ("nothing", nil, false), ("an empty one", Auth(), false), ("user and password", password(""), true), ("auth", encoded(""), true),
      ("auth with a NUL at its end", with("") { $0.auth = pair + "AA==" }, true),
      ("for the host", password(host), true), ("for its address", password("https://\(host)"), true),
      ("for its API", encoded("https://\(host)/v2/"), true), ("for a path there", encoded("\(host)/team"), true),
      ("for another port", password("127.0.0.1:1"), false), ("for another host", encoded("https://other.example/v1/"), false),
      ("for docker.io", password("https://index.docker.io/v1/"), false),
      ("a wrong password", with(host) { ($0.username, $0.password) = ("user", "hunter3") }, false),
    ]
  }

  @Test func `passwords by TLS in all forms, each only for the host that it names`() async throws {
    try await withScratch("htpasswd") { scratch in
      let trust = try await Trust(in: scratch)
      let output = try await Command.run("/usr/bin/htpasswd", ["-Bbn", "user", "hunter2"], timeout: .seconds(30))
      try Files.write(output.stdout, to: scratch + "/htpasswd")
      var options = trust.options
      options.htpasswd = scratch + "/htpasswd"
      try await withLocalRegistry(options) { registry in
        try registry.add(image, to: "team/app", tag: "1")
        let name = registry.authority + "/team/app:1"
        try await withNode(trust) { node in
          try configure(registry.authority, trust, trust.ca)
          for form in forms(registry.authority) {
            if form.isGood {
              _ = try await node.pull(name, auth: form.auth)
            } else {
              await expectRefused(node, name, form.auth, .unauthenticated, "manifest", "401", "UNAUTHORIZED")
            }
          }
          try configure(registry.authority, trust, trust.ca + "[credentials]\nusername = 'user'\npassword = 'hunter2'\n")
          _ = try await node.pull(name)
          await expectRefused(node, name, .with { ($0.username, $0.password) = ("user", "hunter3") }, .unauthenticated, "401")
        }
      }
    }
  }

  @Test func `credentials for another host are never shown to this one`() async throws {
    try await withScratch("shown") { scratch in
      let trust = try await Trust(in: scratch)
      try await withHostileServer(tls: try trust.context()) { _ in
        .response(401, ["WWW-Authenticate": "Basic realm=\"r\""])
      } _: { server in
        try await withNode(trust) { node in
          try configure(server.authority, trust, trust.ca)
          for form in forms(server.authority) where !form.isGood && form.name != "a wrong password" {
            await expectRefused(node, server.authority + "/team/app:1", form.auth, .unauthenticated, "401")
          }
          #expect(server.requests.allSatisfy { $0.authorization == nil && $0.body.isEmpty })
          #expect(server.requests.count >= 5)
        }
      }
    }
  }

  /// A token server that gives the token to the user by password (GET) or refresh token (POST), and an empty promise to everyone else.
  private func tokens(_ token: String, _ nothing: String) -> HostileServer.Script {
    { request in
      let isUser = request.authorization == "Basic dXNlcjpodW50ZXIy"
      let isRefresh =
        request.method == "POST" && request.body.contains("grant_type=refresh_token&")
        && request.body.hasSuffix("&refresh_token=refresh-me")
      if request.authorization != nil, !isUser { return .response(401, text: #"{"details":"incorrect username or password"}"#) }
      return .response(200, text: #"{"access_token":"\#(isUser || isRefresh ? token : nothing)","expires_in":300}"#)
    }
  }

  @Test func `a token server by TLS is given passwords and refresh tokens, each only where they belong`() async throws {
    try await withScratch("tokens") { scratch in
      let trust = try await Trust(in: scratch)
      let issuer = try await TokenAuthority(in: scratch)
      let token = try await issuer.token([("team/app", ["pull"])])
      try await withHostileServer(tls: try trust.context(), tokens(token, try await issuer.token([]))) { server in
        var options = issuer.options(realm: "https://\(server.authority)/token")
        (options.certificate, options.key) = (trust.server.certificate, trust.server.key)
        try await withLocalRegistry(options) { registry in
          try registry.add(image, to: "team/app", tag: "1")
          let name = registry.authority + "/team/app:1"
          try await withNode(trust) { node in
            try configure(registry.authority, trust, trust.ca)
            func asked(_ auth: Auth?) async -> (isGood: Bool, requests: [HostileServer.Request]) {
              let before = server.requests.count
              let isGood = (try? await node.pull(name, auth: auth)) != nil
              return (isGood, Array(server.requests.dropFirst(before)))
            }
            for form in forms(registry.authority) {
              let (isGood, requests) = await asked(form.auth)
              #expect(isGood == form.isGood, "\(form.name)")
              let shown = requests.contains { $0.authorization != nil || $0.method == "POST" }
              #expect(!shown || form.isGood || form.name == "a wrong password", "\(form.name)")
            }
            let identity = await asked(.with { $0.identityToken = "refresh-me" })
            #expect(identity.isGood && identity.requests.map(\.method) == ["POST"])
            let elsewhere = await asked(.with { ($0.identityToken, $0.serverAddress) = ("refresh-me", "other.example") })
            #expect(!elsewhere.isGood && elsewhere.requests.allSatisfy { $0.method == "GET" })
            let own = await asked(.with { $0.registryToken = token })
            #expect(own.isGood && own.requests.isEmpty)
            let foreign = await asked(.with { ($0.registryToken, $0.serverAddress) = (token, "other.example") })
            #expect(!foreign.isGood)
            let wrong = await asked(.with { $0.identityToken = "refresh-you" })
            #expect(!wrong.isGood)
          }
        }
      }
    }
  }

  @Test func `a token server's certificate that is not trusted is said as a registry's is`() async throws {
    try await withScratch("realm") { scratch in
      let trust = try await Trust(in: scratch)
      let stranger = try await TestAuthority(in: scratch, name: "stranger").issue("other")
      let expired = try await trust.authority.issue("expired", from: "20200101000000Z", until: "20210203000000Z")
      for (identity, words) in [(stranger, "is not signed by a trusted authority"), (expired, "expired on 2021-02-03")] {
        try await withHostileServer(tls: try trust.context(identity), { _ in .response(500) }) { realm in
          try await withHostileServer(tls: try trust.context()) { _ in
            .response(401, ["WWW-Authenticate": "Bearer realm=\"https://\(realm.authority)/token\",service=\"s\""])
          } _: { server in
            try await withNode(trust) { node in
              try configure(server.authority, trust, trust.ca)
              let auth = Auth.with { ($0.username, $0.password) = ("user", "hunter2") }
              await expectRefused(
                node, server.authority + "/team/app:1", auth, .unavailable,
                "token endpoint https://\(realm.authority)/token: TLS: the host's certificate \(words)")
            }
          }
        }
      }
    }
  }
}
