import CRIAPI
import Core
import GRPC
import Linux
import NIOCore
import OCI
import Support
import SwiftProtobuf
import Synchronization
import Testing

/// What a registry can do to a pull on a real daemon: each ends with an error that names stage, object and cause, has the right code, and leaves nothing
/// in content, layers or snapshots.
@Suite(.serialized) struct BadPullTests {
  private typealias Steps = [HostileServer.Step]

  /// A case: what the registry does, and what the error says.
  private struct Case {
    let name: String
    let code: GRPCStatus.Code
    let words: [String]
    let script: HostileServer.Script

    init(_ name: String, _ code: GRPCStatus.Code, _ words: [String], _ script: @escaping HostileServer.Script) {
      (self.name, self.code, self.words, self.script) = (name, code, words, script)
    }
  }

  /// Pulls every case from one server on one node.
  private func run(_ cases: [Case], settings: String = "", on image: String = "/test/image:1") async throws {
    let current = Mutex<HostileServer.Script?>(nil)
    try await withHostileServer { request in
      current.withLock { $0 }?(request) ?? .response(500)
    } _: { server in
      try await Node.with(settings: settings) { node in
        for one in cases {
          current.withLock { $0 = one.script }
          await expect(one) { _ = try await node.pull(server.authority + image) }
          try await expectNothingLeft(on: node, after: one.name)
        }
      }
    }
  }

  private func expect(_ one: Case, _ pull: () async throws -> Void) async {
    let error = await #expect(throws: GRPCStatus.self, "\(one.name)") { try await pull() }
    #expect(error?.code == one.code, "\(one.name): \(error.map { "\($0)" } ?? "")")
    for word in one.words + ["image ", "/test/image"] {
      #expect(error?.message.contains(word) == true, "\(one.name): \(word) is not in: \(error?.message ?? "")")
    }
  }

  private func expectNothingLeft(on node: Node, after name: String) async throws {
    #expect(try await node.images().isEmpty, "\(name)")
    try await eventually("nothing is left after: \(name)") { try node.storedThings().isEmpty ? true : nil }
  }

  @Test func `what a registry answers instead of a manifest`() async throws {
    try await run([
      Case("missing image", .notFound, ["manifest", "404", "MANIFEST_UNKNOWN"]) { _ in
        .response(404, text: #"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#)
      },
      Case("unauthorized", .unauthenticated, ["manifest", "401"]) { _ in .response(401, ["WWW-Authenticate": "Basic realm=\"x\""]) },
      Case("forbidden", .permissionDenied, ["manifest", "403", "go away"]) { _ in .response(403, text: "go away") },
      Case("server error", .unknown, ["RegistryUnavailable: ", "manifest", "500"]) { _ in .response(500) },
      Case("redirect loop", .unknown, ["RegistryUnavailable: ", "manifest", "redirect loop"]) { request in
        .response(302, ["Location": request.path + "?n=\(request.query.isEmpty ? "1" : "")"])
      },
      Case("no manifest at all", .dataLoss, ["manifest", "not a manifest"]) { _ in .response(200, [:], text: "<html>hello</html>") },
      Case("schema 1", .unimplemented, ["schema 1"]) { _ in
        .response(200, [:], text: #"{"schemaVersion":1,"name":"x","fsLayers":[]}"#)
      },
      // The last one: the host is left alone from then on.
      Case("too many requests", .resourceExhausted, ["manifest", "429", "retry after 120 s"]) { _ in
        .response(429, ["Retry-After": "120"])
      },
      Case("too many requests before", .resourceExhausted, ["manifest", "not asked: the host answered 429"]) { _ in .response(200) },
    ])
  }

  @Test func `a manifest or an index that does not fit`() async throws {
    let image = ServedImage([try await PackedLayer([.file("a", "a")], .gzip)])
    let index = JSONDocument.encode(
      Index(manifests: [
        Descriptor(
          mediaType: MediaType.ociManifest, digest: image.digest, size: Int64(image.manifest.count),
          platform: Platform(os: "plan9", architecture: "mips"))
      ]))
    try await run([
      Case("wrong platform", .notFound, ["plan9", Platform.host.architecture]) { request in
        request.path.hasSuffix("/manifests/1") ? .response(200, ["Content-Type": MediaType.ociIndex], index) : image.answer(request)
      },
      Case("config that is another", .dataLoss, ["config", "digest mismatch"]) { request in
        request.path.contains("/blobs/\(Digest.sha256(of: image.config))")
          ? .response(200, [:], Array(image.config.reversed())) : image.answer(request)
      },
      Case("layer that is missing", .notFound, ["layer", "404"]) { request in
        request.path.contains("/blobs/\(image.layers[0].description.descriptor.digest)") ? .response(404) : image.answer(request)
      },
    ])
    try await run(
      [
        Case("wrong digest", .dataLoss, ["manifest", "digest"]) { _ in
          .response(200, ["Content-Type": MediaType.ociManifest], image.manifest)
        }
      ], on: "/test/image@sha256:" + String(repeating: "0", count: 64))
  }

  /// An image whose layer is bad in itself, its digests being right.
  private func hostile(_ name: String, _ code: GRPCStatus.Code, _ words: [String], _ entries: [Tar.Entry]) async throws -> Case {
    let good = try await PackedLayer([.file("good", "good")])
    let image = ServedImage([good, try await PackedLayer(entries, .gzip)])
    return Case(name, code, ["layer", "\(image.layers[1].description.descriptor.digest)"] + words) { image.answer($0) }
  }

  @Test func `layers that want out, or too much`() async throws {
    let long = String(repeating: "n", count: 10_000_000)
    try await run([
      try await hostile("dot dot", .invalidArgument, ["..", "leads out"], [.file("../../etc/evil", "x")]),
      try await hostile("dot dot inside", .invalidArgument, [".."], [.file("a/../../evil", "x")]),
      try await hostile("symlink out", .invalidArgument, ["climbs out"], [.symlink("s", "../../.."), .file("s/evil", "x")]),
      try await hostile("hard link out", .invalidArgument, [".."], [.link("l", "../../../etc/passwd")]),
      try await hostile("hard link to nothing", .invalidArgument, ["does not exist"], [.link("l", "no/such")]),
      try await hostile("whiteout device", .invalidArgument, ["0:0"], [.device("dev", "3", 0, 0)]),
      try await hostile("10 MB name", .invalidArgument, [], [.file(long, "x")]),
      try await hostile("long component", .invalidArgument, ["255"], [.file(String(repeating: "n", count: 300), "x")]),
      try await hostile("size of 2^62", .invalidArgument, [], [Tar.Entry.file("big", "x").with { $0.size = 1 << 62 }]),
      try await hostile("size of 2^63 - 1", .invalidArgument, [], [Tar.Entry.file("big", "x").with { $0.size = .max }]),
    ])
  }

  @Test func `what a layer may ask for at most is a setting, each of them`() async throws {
    let settings = """
      [images.limits]
      max_entries = 5
      max_layer_size = 200000
      max_file_size = 100000
      max_depth = 3
      max_path_length = 30
      max_name_length = 20
      max_xattrs = 2
      max_xattr_size = 10

      """
    func attributed(_ count: Int, _ size: Int) -> Tar.Entry {
      (0..<count).reduce(.file("f", "x")) { $0.attribute("user.a\($1)", [UInt8](repeating: 1, count: size)) }
    }
    func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }
    let within: [Tar.Entry] = [
      attributed(2, 10), .file("a/b/c", bytes: zeros(100_000)), .file(String(repeating: "n", count: 20)),
      .file("aaaaaaaaaaaaaa/bbbbbbbbbbbbbbb"),
    ]
    let beyond: [(String, String, [Tar.Entry])] = [
      ("entries", "more than 5 entries", (0..<6).map { .file("\($0)") }),
      ("layer", "larger than 200000 bytes together", (0..<3).map { .sparse("\($0)", size: 90_000, at: 1, "x") }),
      ("file", "at most 100000 are allowed", [.sparse("s", size: 100_001, at: 1, "x")]),
      ("depth", "4 directories deep, at most 3", [.file("a/b/c/d")]),
      ("path", "at most 30 are allowed", [.file("aaaaaaaaaaaaaaa/bbbbbbbbbbbbbbb/c")]),
      ("name", "a name of 21 bytes, at most 20", [.file(String(repeating: "n", count: 21))]),
      ("attributes", "more than 2 extended attributes", [attributed(3, 1)]),
      ("attribute", "has 11 bytes, at most 10", [attributed(1, 11)]),
    ]
    var cases: [Case] = []
    for (name, words, entries) in beyond {
      let image = ServedImage([try await PackedLayer(entries)])
      cases.append(Case(name, .invalidArgument, ["layer", words]) { image.answer($0) })
    }
    try await run(cases, settings: settings)
    let image = ServedImage([try await PackedLayer(within)])
    try await withHostileServer {
      image.answer($0)
    } _: { server in
      try await Node.with(settings: settings) { _ = try await $0.pull(server.authority + "/test/image:1") }
    }
  }

  @Test func `how many times its size a layer may have is a setting`() async throws {
    // Above what every layer may have.
    let layer = try await PackedLayer((0..<2).map { .file("\($0)", bytes: [UInt8](repeating: 0, count: 140 << 20)) }, .gzip)
    let image = ServedImage([layer])
    try await run(
      [Case("bomb", .invalidArgument, ["layer", "more than 7 times its size"]) { image.answer($0) }],
      settings: "[images.limits]\nmax_expansion = 7\n")
  }

  @Test func `absolute names and device nodes stay inside the layer`() async throws {
    let layer = try await PackedLayer(
      [.file("/etc/inside", "x"), .symlink("abs", "/etc"), .file("abs/through", "y"), .device("null", "3", 1, 3)], .gzip)
    let image = ServedImage([layer])
    try await withHostileServer {
      image.answer($0)
    } _: { server in
      try await Node.with { node in
        _ = try await node.pull(server.authority + "/test/image:1")
        let files = "\(node.root)/layers/sha256-\(layer.description.diffID.hex)/fs"
        #expect(Files.exists(files + "/etc/inside") && Files.exists(files + "/etc/through") && Files.exists(files + "/null"))
        #expect(!Files.exists("/etc/inside") && !Files.exists("/etc/through"))
      }
    }
  }

  @Test func `layers that do not arrive as they should`() async throws {
    let noise = (0..<300_000).map { _ in UInt8.random(in: 0...255) }
    let layer = try await PackedLayer([.file("noise", bytes: noise)], .gzip)
    let image = ServedImage([layer])
    let digest = "\(layer.description.descriptor.digest)"
    func blob(_ change: @escaping @Sendable (HostileServer.Request) -> Steps) -> HostileServer.Script {
      { request in request.path.hasSuffix(digest) ? change(request) : image.answer(request) }
    }
    var corrupt = layer.blob
    corrupt[corrupt.count / 2] ^= 1
    let short = Array(layer.blob.prefix(100_000))
    let damaged = corrupt
    var lying = image
    lying.layers[0].description.diffID = .sha256(of: [])
    let wrong = ServedImage(lying.layers)
    var cut = layer
    cut.blob = short
    cut.description.descriptor = Descriptor(mediaType: MediaType.ociLayerGzip, digest: .sha256(of: short), size: Int64(short.count))
    let truncated = ServedImage([cut])
    try await run(
      [
        Case("corrupt", .dataLoss, ["layer", digest, "arrived as"], blob { .blob(damaged, $0) }),
        Case("shorter than it says, again and again", .dataLoss, ["layer", digest], blob { .blob(short, $0) }),
        Case("longer than it says", .dataLoss, ["layer", digest, "the manifest says"], blob { .blob(layer.blob + [0], $0) }),
        Case("a gzip that ends in the middle", .dataLoss, ["layer", "ends in the middle"]) { truncated.answer($0) },
        Case("another diff ID", .dataLoss, ["layer", "configuration says"]) { wrong.answer($0) },
        Case("slow trickle", .unknown, ["RegistryUnavailable: ", "layer", digest, "stalled"], blob { Self.trickle(layer.blob, $0) }),
        Case("nothing but silence", .unknown, ["RegistryUnavailable: ", "layer", digest], blob { _ in [.close] }),
      ], settings: "[registry]\nstall_timeout = \"200ms\"\n")
  }

  /// The head at once, then hardly anything, for ever.
  private static func trickle(_ bytes: [UInt8], _ request: HostileServer.Request) -> Steps {
    var steps = Steps.response(200, [:], [], length: bytes.count)
    for index in 0..<20 { steps += [.pause(.milliseconds(100)), .send([bytes[index]])] }
    return steps
  }

  @Test func `a registry that is down, and one that has no such name`() async throws {
    let port = try await Loopback.freePort()
    try await Node.with { node in
      let one = Case("down", .unknown, ["RegistryUnavailable: ", "manifest", "127.0.0.1:\(port)", "Connection refused"]) { _ in [] }
      await expect(one) { _ = try await node.pull("127.0.0.1:\(port)/test/image:1") }
      try await expectNothingLeft(on: node, after: one.name)
    }
  }

  @Test func `a disk that is full`() async throws {
    let big = try await PackedLayer([.file("zeros", bytes: [UInt8](repeating: 7, count: 24 << 20))], .gzip)
    let image = ServedImage([try await PackedLayer([.file("small", "s")]), big])
    try await withHostileServer {
      image.answer($0)
    } _: { server in
      try await Node.with { node in
        try await node.kill()
        try await withTmpfs(node.root, size: "12m") { _ in
          try await node.start()
          let one = Case("disk full", .resourceExhausted, ["layer", "No space left on device"]) { _ in [] }
          await expect(one) { _ = try await node.pull(server.authority + "/test/image:1") }
          try await expectNothingLeft(on: node, after: one.name)
          try await node.kill()
        }
        try await node.start()
      }
    }
  }
}

extension Node {
  /// Documents, layers, layers on their way, snapshots: paths below the root.
  func storedThings() throws -> [String] {
    try ["content/sha256", "content/ingest", "layers", "layers/ingest", "snapshots"].flatMap { directory in
      try Files.list("\(root)/\(directory)").filter { $0 != "ingest" && $0 != ".removed" }.map { "\(directory)/\($0)" }
    }
  }
}
