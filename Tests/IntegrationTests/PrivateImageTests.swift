import CRIAPI
import Core
import GRPC
import Linux
import OCI
import Support
import SwiftProtobuf
import Testing

/// Images that not everyone may have, on docker-registry with passwords.
@Suite(.serialized) struct PrivateImageTests {
  private func withPrivate(settings: (String) -> String = { _ in "" }, _ body: (Node, String, ServedImage) async throws -> Void)
    async throws
  {
    let image = ServedImage([try await PackedLayer([.file("secret", String(repeating: "s", count: 50_000))])])
    try await withScratch("private") { scratch in
      let output = try await Command.run("/usr/bin/htpasswd", ["-Bbn", "user", "secret"], timeout: .seconds(30))
      try Files.write(output.stdout, to: scratch + "/htpasswd")
      var options = LocalRegistry.Options()
      options.htpasswd = scratch + "/htpasswd"
      try await withLocalRegistry(options) { registry in
        try registry.add(blob: image.config, to: "team/app")
        for layer in image.layers { try registry.add(blob: layer.blob, to: "team/app") }
        try registry.add(manifest: image.manifest, to: "team/app", tag: "1")
        let login = #"{"auths": {"\#(registry.authority)": {"auth": "dXNlcjpzZWNyZXQ="}}}"#
        try Files.write(login, to: scratch + "/config.json")
        try await Node.with(settings: settings(scratch)) { node in
          try Files.write(login, to: node.scratch + "/config.json")
          try await body(node, registry.authority + "/team/app:1", image)
        }
      }
    }
  }

  private func auth(_ change: (inout Runtime_V1_AuthConfig) -> Void) -> Runtime_V1_AuthConfig { .with(change) }

  private var right: Runtime_V1_AuthConfig { auth { ($0.username, $0.password) = ("user", "secret") } }
  private var wrong: Runtime_V1_AuthConfig { auth { ($0.username, $0.password) = ("user", "guess") } }

  private func expectRefused(_ node: Node, _ name: String, _ auth: Runtime_V1_AuthConfig?) async {
    let error = await #expect(throws: GRPCStatus.self) { _ = try await node.pull(name, auth: auth) }
    #expect(error?.code == .unauthenticated, "\(error?.message ?? "")")
    #expect(error?.message.contains("UNAUTHORIZED") == true && error?.message.contains("guess") == false, "\(error?.message ?? "")")
  }

  @Test func `a pod without the secret is refused although every layer is here`() async throws {
    try await withPrivate { node, name, image in
      let id = try await node.pull(name, auth: right)
      #expect(id == "\(Digest.sha256(of: image.config))")
      for auth in [nil, wrong, Runtime_V1_AuthConfig()] { await expectRefused(node, name, auth) }
      let digest = name.prefix { $0 != "/" } + "/team/app@\(image.digest)"
      await expectRefused(node, String(digest), wrong)
      #expect(try await node.pull(name, auth: right) == id)
    }
  }

  @Test func `pulls at the same time with other credentials do not join`() async throws {
    try await withPrivate { node, name, _ in
      try await withThrowingTaskGroup(of: Bool.self) { group in
        let auths = [right, wrong, right, wrong, Runtime_V1_AuthConfig()]
        for auth in auths {
          group.addTask { (try? await node.pull(name, auth: auth)) != nil }
        }
        var pulled = 0
        for try await isPulled in group where isPulled { pulled += 1 }
        #expect(pulled == 2)
      }
    }
  }

  @Test func `all forms of credentials that a kubelet sends are taken`() async throws {
    try await withPrivate { node, name, _ in
      let host = String(name.prefix { $0 != "/" })
      let forms = [
        right, auth { $0.auth = "dXNlcjpzZWNyZXQ=" }, auth { $0.auth = "dXNlcjpzZWNyZXQ" },
        auth { ($0.username, $0.password, $0.serverAddress) = ("user", "secret", host) },
        auth { ($0.auth, $0.serverAddress) = ("dXNlcjpzZWNyZXQ=", "http://\(host)/v2/") },
      ]
      for form in forms { _ = try await node.pull(name, auth: form) }
      await expectRefused(node, name, auth { ($0.username, $0.password, $0.serverAddress) = ("user", "secret", "other.example") })
      let error = await #expect(throws: GRPCStatus.self) { _ = try await node.pull(name, auth: auth { $0.auth = "not base64!" }) }
      #expect(error?.code == .invalidArgument)
    }
  }

  @Test func `the node's own file of credentials is for pods that bring none, and not for those with wrong ones`() async throws {
    try await withPrivate(settings: { "[registry]\nauth_file = \"\($0)/config.json\"\n" }) { node, name, _ in
      _ = try await node.pull(name)
      await expectRefused(node, name, wrong)
    }
  }

  @Test func `the command line has credentials of its own, by name or by file, and explains`() async throws {
    try await withPrivate { node, name, _ in
      let berth = try Programs.path("berth")
      func run(_ arguments: String...) async throws -> Command.Output {
        try await Command.run(
          berth, ["--address", node.socket] + arguments, environment: ["PATH=\(node.scratch):/usr/bin:/bin"], timeout: .seconds(60))
      }
      let none = try await run("pull", name)
      #expect(!none.succeeded && none.errorText.contains("UNAUTHORIZED"), "\(none.errorText)")
      let creds = try await run("pull", "--creds", "user:secret", name)
      #expect(creds.succeeded, "\(creds.errorText)")
      let file = try await run("pull", "--authfile", node.scratch + "/config.json", name)
      #expect(file.succeeded, "\(file.errorText)")
      let wrong = try await run("pull", "--creds", "user:guess", name)
      #expect(!wrong.succeeded && !wrong.errorText.contains("guess"), "\(wrong.errorText)")
      let host = name.prefix { $0 != "/" }
      try Files.write(#"{"credHelpers": {"\#(host)": "test"}}"#, to: node.scratch + "/helpers.json")
      try Files.write(
        "#!/bin/sh\n[ \"$(cat)\" = \(host) ] && echo '{\"Username\":\"user\",\"Secret\":\"secret\"}'",
        to: node.scratch + "/docker-credential-test",
        mode: 0o755)
      let helper = try await run("pull", "--authfile", node.scratch + "/helpers.json", name)
      #expect(helper.succeeded, "\(helper.errorText)")
      let explained = try await run("registry", "explain", "--try", "--authfile", node.scratch + "/config.json", name)
      let text = String(decoding: explained.stdout, as: UTF8.self)
      #expect(text.contains("the request's user user") && text.contains(MediaType.ociManifest), "\(text)")
    }
  }
}
