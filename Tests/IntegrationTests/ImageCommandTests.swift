import Core
import Linux
import NIOCore
import OCI
import Support
import Synchronization
import Testing

/// `berth images` and its kin: every command of it speaks JSON.
@Suite(.serialized) struct ImageCommandTests {
  /// The objects that a command printed, a line each.
  private func objects(_ node: Node, _ words: [String]) async throws -> [JSON] {
    let (code, output, errors) = try await node.commandLine(words)
    #expect(code == 0, "\(words): \(errors)")
    return try output.split(separator: "\n").map { try JSON(parsing: Array($0.utf8)) }
  }

  private func one(_ node: Node, _ words: String...) async throws -> JSON {
    let objects = try await objects(node, words)
    #expect(objects.count == 1, "\(words)")
    return objects.first ?? .null
  }

  private func image() async throws -> ServedImage { ServedImage([try await PackedLayer([.file("file", "content")], .gzip)]) }

  @Test func `every command about images speaks JSON`() async throws {
    let image = try await image()
    let id = Digest.sha256(of: image.config).description
    try await withLocalRegistry { registry in
      try registry.add(image, to: "from/image", tag: "1")
      let (name, other) = (registry.authority + "/from/image:1", registry.authority + "/to/image:2")
      try await Node.with { node in
        let pulled = try await objects(node, ["images", "pull", "--json", name])
        #expect(pulled.contains { $0["layer"]?["digest"]?.string != nil }, "\(pulled)")
        #expect(pulled.last?["image"]?["id"]?.string == id, "\(pulled)")
        #expect(try await one(node, "images", "ls", "--json")["images"]?.array?.first?["id"]?.string == id)
        #expect(try await one(node, "images", "tag", "--json", name, other)["reference"]?.string == other)
        #expect(try await one(node, "images", "inspect", "--json", other)["image"]?["repoTags"]?.array?.count == 2)
        #expect(try await one(node, "images", "namespaces", "--json")["namespaces"]?.array?.first?["name"]?.string == "k8s.io")
        let pushed = try await objects(node, ["images", "push", "--json", other])
        #expect(pushed.last?["pushed"]?["digest"]?.string == image.digest.description, "\(pushed)")
        let usage = try await one(node, "images", "du", "--json")
        #expect(usage["images"]?.array?.count == 1 && usage["layerBytes"] != nil, "\(usage)")
        #expect(try await one(node, "images", "verify", "--json")["whole"]?.bool == true)
        let archive = node.scratch + "/archive.tar"
        #expect(try await one(node, "images", "export", "--json", name, "-o", archive)["path"]?.string == archive)
        #expect(try await one(node, "images", "prune", "--json", "--dry-run")["images"]?.array?.count == 1)
        #expect(try await one(node, "images", "rm", "--json", name)["id"]?.string == id)
        let imported = try await objects(node, ["images", "import", "--json", archive])
        #expect(imported.last?["image"]?["id"]?.string == id, "\(imported)")
        #expect(try await one(node, "images", "prune", "--json")["images"]?.array?.count == 1)
        #expect(try await one(node, "images", "ls", "--json").members?.isEmpty == true)
        #expect(try await one(node, "images", "referrers", "--json", name)["digest"]?.string == image.digest.description)
        #expect(try await one(node, "registry", "explain", "--json", name)["endpoints"]?.array?.isEmpty == false)
      }
    }
  }

  @Test func `a pull under way is listed with its layers, bytes, rate and phases, and its error says the same`() async throws {
    let image = try await image()
    let mayGoOn = Mutex(false)
    try await withHostileServer { request in
      if mayGoOn.withLock({ $0 }) { return .response(403, text: "no more") }
      return request.path.hasSuffix("\(image.layers[0].description.descriptor.digest)")
        ? [.pause(.milliseconds(300)), .close] : image.answer(request)
    } _: { server in
      try await Node.with { node in
        let name = server.authority + "/test/image:1"
        async let pull = node.commandLine("pull", "--json", name)
        let listed = try await eventually("the pull is listed") {
          try await one(node, "pulls", "--json")["pulls"]?.array?.first { $0["summary"]?.string?.contains("layers") == true }
        }
        let people = try await node.commandLine("pulls")
        mayGoOn.withLock { $0 = true }
        let summary = listed["summary"]?.string ?? ""
        #expect(summary.hasPrefix("0 of 1 layers, 0 of 0 MB, 0.0 MB/s, 1 downloading"), "\(listed)")
        #expect(listed["reference"]?.string == name)
        #expect(people.stdout.contains(name) && people.stdout.contains("0 of 1 layers"), "\(people)")
        let (code, _, errors) = try await pull
        #expect(code != 0 && errors.contains("0 of 1 layers, 0 of 0 MB, 0.0 MB/s, 1 downloading: layer sha256:"), "\(errors)")
        #expect(errors.contains("no more"), "\(errors)")
      }
    }
  }
}
