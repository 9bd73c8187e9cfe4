import BerthAPI
import CRIAPI
import Core
import GRPC
import Linux
import OCI
import Support
import SwiftProtobuf
import Testing

@Suite(.serialized) struct ImageStoreTests {
  private func berth<Request: Message, Response: Message>(_ node: Node, _ method: String, _ request: Request) async throws -> Response {
    try await node.berth().unary("/berth.v1.Berth/" + method, request, returning: Response.self)
  }

  @Test func `tags move, usage counts shared layers, prune leaves what containers use`() async throws {
    let base = try await PackedLayer([.file("base", String(repeating: "b", count: 5000))])
    let first = ServedImage([base, try await PackedLayer([.file("one", String(repeating: "1", count: 700))])])
    let second = ServedImage([base, try await PackedLayer([.file("two", String(repeating: "2", count: 900))])])
    try await withHostileServer { request in
      (request.path.contains("/one/") ? first : second).answer(request)
    } _: { server in
      try await Node.with { node in
        try await node.importBusybox()
        let one = try await node.pull(server.authority + "/one/image:1")
        let two = try await node.pull(server.authority + "/two/image:1")
        let tagged: Berth_V1_TagImageResponse = try await berth(
          node, "TagImage",
          Berth_V1_TagImageRequest.with {
            $0.image = one
            $0.tag = server.authority + "/two/image:1"
          })
        #expect(tagged.reference == server.authority + "/two/image:1")
        #expect(try await node.images().first { $0.id == two }?.repoTags == [])
        #expect(try await node.images().first { $0.id == one }?.repoTags.count == 2)

        let usage: Berth_V1_DiskUsageResponse = try await berth(node, "DiskUsage", Berth_V1_DiskUsageRequest())
        #expect(usage.images.first { $0.id == one }?.bytes == 5700)
        #expect(usage.images.first { $0.id == two }?.sharedBytes == 5000)
        #expect(usage.layerBytes == usage.images.reduce(0) { $0 + $1.bytes } - 5000)

        let pod = try await node.run(try node.podConfig("prune"))
        _ = try await node.create(node.containerConfig("main", ["true"]), in: pod)
        let pruned: Berth_V1_PruneImagesResponse = try await berth(node, "PruneImages", Berth_V1_PruneImagesRequest())
        #expect(Set(pruned.images.map(\.id)) == [one, two])
        #expect(pruned.images.reduce(0) { $0 + $1.bytes } == 6600)
        #expect(try await node.images().count == 1)
        try await eventually("their layers are gone") { try node.committedLayers() == 1 ? true : nil }
      }
    }
  }

  @Test func `namespaces have names of their own and share layers, which go with the last of them`() async throws {
    let image = ServedImage([try await PackedLayer([.file("base", String(repeating: "b", count: 5000))])])
    try await withHostileServer {
      image.answer($0)
    } _: { server in
      let name = server.authority + "/test/image:1"
      try await Node.with { node in
        #expect(try await node.commandLine("images", "pull", "-n", "build", name).code == 0)
        #expect(try await node.images().isEmpty)
        #expect(try await node.commandLine("images", "ls", "-n", "build").stdout.contains("test/image"))
        let blobs = server.requests.count { $0.path.contains("/blobs/") }
        _ = try await node.pull(name)
        #expect(server.requests.count { $0.path.contains("/blobs/") } == blobs, "the layer is shared")
        #expect(try await node.commandLine("images", "tag", "-n", "build", name, "mine:1").code == 0)
        #expect(try await node.commandLine("images", "inspect", "mine:1").code != 0)
        try await node.restart()
        let listed = try await node.commandLine("images", "namespaces").stdout
        #expect(listed.contains("build") && listed.contains("k8s.io"), "\(listed)")
        try await node.removeImage(name)
        let verified = try await node.commandLine("images", "verify", "-n", "build")
        #expect(verified.code == 0 && verified.stdout.contains("mine:1"), "\(verified)")
        let layers = try node.committedLayers()
        #expect(layers == 1, "build still has it")
        #expect(try await node.commandLine("images", "rm", "-n", "build", "mine:1").code == 0)
        try await eventually("its layer is gone") { try node.committedLayers() == 0 ? true : nil }
        let bad = try await node.commandLine("images", "ls", "-n", "a/b")
        #expect(bad.code != 0 && bad.stderr.contains("cannot be the name of a namespace"), "\(bad)")
      }
    }
  }

  @Test func `the way to a registry is explained, mirrors first, and tried`() async throws {
    let image = ServedImage([try await PackedLayer([.file("a", "a")])])
    try await withHostileServer {
      image.answer($0)
    } _: { server in
      try await withScratch("certs") { certs in
        try Files.makeDirectories(certs + "/registry.example")
        try Files.write(
          """
          server = "http://\(server.authority)"
          [host."http://127.0.0.1:1"]
          capabilities = ["pull"]
          [host."http://localhost:\(server.port)"]
          """, to: certs + "/registry.example/hosts.toml")
        try await Node.with(settings: "[registry]\nconfig_path = \"\(certs)\"\n") { node in
          let answer: Berth_V1_ExplainRegistryResponse = try await berth(
            node, "ExplainRegistry",
            Berth_V1_ExplainRegistryRequest.with {
              $0.reference = "registry.example/test/image"
              $0.username = "me"
              $0.try = true
            })
          #expect(answer.reference == "registry.example/test/image:latest")
          #expect(answer.endpoints.map(\.used) == [false, true, true])
          #expect(answer.endpoints[0].reason.contains("resolve"))
          #expect(answer.endpoints[1].credentials.hasPrefix("anonymous"))
          #expect(answer.endpoints[2].server && answer.endpoints[2].credentials == "the request's user me")
          #expect(answer.endpoints[1].answer.contains("\(image.digest)"), "\(answer.endpoints[1].answer)")
        }
      }
    }
  }
}
