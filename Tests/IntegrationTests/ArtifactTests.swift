import BerthAPI
import CRIAPI
import Core
import GRPC
import Linux
import OCI
import Support
import SwiftProtobuf
import Testing

/// What a registry holds beside images: artifacts as volumes, and layers that may not be distributed.
@Suite(.serialized) struct ArtifactTests {
  private static let title = "org.opencontainers.image.title"

  /// An artifact as oras writes it: an empty configuration, a file a layer.
  private static func add(_ files: [(name: String?, content: [UInt8])], to registry: LocalRegistry, type: String) throws -> Digest {
    let empty = Array("{}".utf8)
    try registry.add(blob: empty, to: "test/artifact")
    var layers: [Descriptor] = []
    for file in files {
      let digest = try registry.add(blob: file.content, to: "test/artifact")
      layers.append(
        Descriptor(
          mediaType: "application/octet-stream", digest: digest, size: Int64(file.content.count),
          annotations: file.name.map { [title: $0] }))
    }
    var manifest = Manifest(
      config: Descriptor(mediaType: "application/vnd.oci.empty.v1+json", digest: .sha256(of: empty), size: 2), layers: layers)
    manifest.artifactType = type
    return try registry.add(manifest: JSONDocument.encode(manifest), to: "test/artifact", tag: "1")
  }

  @Test func `an artifact is mounted as its files, and cannot be run`() async throws {
    let model = (0..<3_000_000).map { _ in UInt8.random(in: 0...255) }
    try await withLocalRegistry { registry in
      let unnamed = Array("no title".utf8)
      let digest = try Self.add(
        [("model.bin", model), ("conf/settings.json", Array("{}".utf8)), (nil, unnamed)], to: registry, type: "application/vnd.test.model")
      let name = registry.authority + "/test/artifact:1"
      try await Node.with { node in
        try await node.importBusybox()
        #expect(try await node.pull(name) == digest.description)
        #expect(try await node.pull(name) == digest.description)
        let listed = try await node.images().first { $0.id == digest.description }
        #expect(listed?.repoTags == [name] && listed?.repoDigests == [registry.authority + "/test/artifact@\(digest)"])
        #expect(try await node.verify().allSatisfy(\.whole))

        let pod = try await node.run(try node.podConfig("artifact"))
        let command = "ls /data; sha256sum </data/model.bin; cat /data/conf/settings.json /data/\(Digest.sha256(of: unnamed).hex) /one"
        let container = try await node.launch("reader", ["sh", "-c", command], in: pod) {
          $0.mounts = [
            .with { ($0.containerPath, $0.image.image, $0.readonly) = ("/data", name, true) },
            .with { ($0.containerPath, $0.image.image, $0.imageSubPath, $0.readonly) = ("/one", name, "conf/settings.json", true) },
          ]
        }
        #expect(try await node.ended(container).exitCode == 0)
        let log = try await node.log(container, of: pod)
        #expect(log.contains("model.bin") && log.contains(Digest.sha256(of: model).hex) && log.contains("{}no title{}"), "\(log)")
        await expectFault(.failedPrecondition, "application/vnd.test.model", "mounted, not run") {
          _ = try await node.create(node.containerConfig("main", ["true"], image: name), in: pod)
        }
        try await node.remove(pod: pod)
        try await node.restart()
        #expect(try await node.images().count == 2)
        try await node.removeImage(name)
        try await eventually("only the other image is left") { try node.committedLayers() == 1 ? true : nil }
      }
    }
  }

  /// As `oras push model/` packs it.
  private static func addDirectory(_ entries: [Tar.Entry], to registry: LocalRegistry, _ annotations: [String: String] = [:]) async throws {
    let directory = try await PackedLayer(entries, .gzip)
    let (empty, readme) = (Array("{}".utf8), Array("read me".utf8))
    for blob in [empty, readme, directory.blob] { try registry.add(blob: blob, to: "test/artifact") }
    var layer = directory.description.descriptor
    layer.annotations = [
      title: "model", "io.deis.oras.content.unpack": "true", "io.deis.oras.content.digest": "\(directory.description.diffID)",
    ].merging(annotations) { $1 }
    let file = Descriptor(mediaType: "text/plain", digest: .sha256(of: readme), size: Int64(readme.count), annotations: [title: "README"])
    var manifest = Manifest(
      config: Descriptor(mediaType: "application/vnd.oci.empty.v1+json", digest: .sha256(of: empty), size: 2), layers: [layer, file])
    manifest.artifactType = "application/vnd.test.model"
    _ = try registry.add(manifest: JSONDocument.encode(manifest), to: "test/artifact", tag: "1")
  }

  @Test func `directories that oras packed are unpacked, as safely as layers are`() async throws {
    try await withLocalRegistry { registry in
      let name = registry.authority + "/test/artifact:1"
      let good: [Tar.Entry] = [.directory("model"), .file("model/a", "first"), .symlink("model/b", "a")]
      try await Self.addDirectory(good, to: registry)
      try await Node.with { node in
        try await node.importBusybox()
        let id = try await node.pull(name)
        #expect(try await node.pull(name) == id)
        #expect(try await node.verify().allSatisfy(\.whole))
        let pod = try await node.run(try node.podConfig("artifact"))
        let output = try await node.output("cat /data/model/b /data/README", in: pod) {
          $0.mounts = [.with { ($0.containerPath, $0.image.image, $0.readonly) = ("/data", name, true) }]
        }
        #expect(output.contains("firstread me"), "\(output)")
        try await node.remove(pod: pod)
        for layer in try Files.list(node.root + "/layers") where Files.exists("\(node.root)/layers/\(layer)/fs/model/a") {
          try Files.write("wrong", to: "\(node.root)/layers/\(layer)/fs/model/a", create: false)
        }
        #expect(try await node.verify().contains { !$0.whole })
        #expect(try await node.verify(repair: true).allSatisfy(\.whole))
        try await node.removeImage(name)

        try await Self.addDirectory(good, to: registry, ["io.deis.oras.content.digest": "\(Digest.sha256(of: [1]))"])
        await expectFault(.dataLoss, "its tar is") { _ = try await node.pull(name) }
        try await Self.addDirectory([.symlink("out", "/etc"), .file("out/evil", "e"), .file("../up", "u")], to: registry)
        await expectFault(.invalidArgument, "up") { _ = try await node.pull(name) }
        #expect(!Files.exists("/etc/evil"))
        // Without the digest of what it holds, it is a file.
        try await Self.addDirectory(good, to: registry, ["io.deis.oras.content.digest": "none"])
        _ = try await node.pull(name)
        #expect(try await node.expectWhole() == 2)
        try await node.expectNothing(of: [name, Node.busybox])
      }
    }
  }

  @Test func `an artifact's damaged layer is made anew from its files`() async throws {
    try await withLocalRegistry { registry in
      _ = try Self.add([("a", Array("first".utf8)), ("b", Array("second".utf8))], to: registry, type: "application/vnd.test")
      try await Node.with { node in
        _ = try await node.pull(registry.authority + "/test/artifact:1")
        let layer = try #require(try Files.list(node.root + "/layers").first { $0.hasPrefix("sha256-") })
        try Files.write("wrong", to: "\(node.root)/layers/\(layer)/fs/b", create: false)
        #expect(try await node.verify()[0].whole == false)
        #expect(try await node.verify(repair: true)[0].whole)
        #expect(try Files.read("\(node.root)/layers/\(layer)/fs/b") == Array("second".utf8))
      }
    }
  }

  @Test(arguments: ["../up", "/abs", "a/../../b", "same"]) func `an artifact whose files have bad names is refused`(name: String)
    async throws
  {
    try await withLocalRegistry { registry in
      _ = try Self.add([(name, [1]), ("same", [2])], to: registry, type: "application/vnd.test")
      try await Node.with { node in
        await expectFault(.invalidArgument, "artifact", name) { _ = try await node.pull(registry.authority + "/test/artifact:1") }
        try await eventually("nothing is left") { try node.storedThings().isEmpty ? true : nil }
      }
    }
  }

  @Test(arguments: [
    ("x" + String(repeating: "\u{301}", count: 300), "a name of 601 bytes"), (String(repeating: "a/", count: 2048) + "b", "has 4097 bytes"),
  ]) func `an artifact whose files have names that are too long is refused`(name: String, reason: String) async throws {
    try await withLocalRegistry { registry in
      _ = try Self.add([(name, [1])], to: registry, type: "application/vnd.test")
      try await Node.with { node in
        await expectFault(.invalidArgument, reason) { _ = try await node.pull(registry.authority + "/test/artifact:1") }
        try await eventually("nothing is left") { try node.storedThings().isEmpty ? true : nil }
      }
    }
  }

  @Test(arguments: [
    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
  ]) func `a foreign layer comes from the registry, never from its URLs`(type: String) async throws {
    let foreign = try await PackedLayer([.file("foreign", "f")], .gzip)
    var image = ServedImage([try await PackedLayer([.file("own", "o")], .gzip), foreign])
    var manifest = Manifest(
      config: Descriptor(mediaType: MediaType.ociConfig, digest: .sha256(of: image.config), size: Int64(image.config.count)),
      layers: image.layers.map(\.description.descriptor))
    try await withHostileServer { _ in
      .response(200, text: "not what was asked for")
    } _: { elsewhere in
      manifest.layers[1].mediaType = type
      manifest.layers[1].urls = ["http://\(elsewhere.authority)/foreign.tar.gz"]
      image.manifest = JSONDocument.encode(manifest)
      let served = image
      try await withLocalRegistry { registry in
        try registry.add(blob: image.config, to: "test/image")
        try registry.add(blob: image.layers[0].blob, to: "test/image")
        try registry.add(manifest: image.manifest, to: "test/image", tag: "1")
        try await Node.with { node in
          await expectFault(.failedPrecondition, "foreign", "URLs", "\(foreign.description.descriptor.digest)") {
            _ = try await node.pull(registry.authority + "/test/image:1")
          }
          try registry.add(blob: served.layers[1].blob, to: "test/image")
          #expect(try await node.pull(registry.authority + "/test/image:1") == Digest.sha256(of: served.config).description)
        }
      }
      #expect(elsewhere.requests.isEmpty)
    }
  }
}
