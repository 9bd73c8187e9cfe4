import BerthAPI
import CRIAPI
import Core
import GRPC
import Linux
import OCI
import Support
import SwiftProtobuf
import Testing

/// Images sent to a real registry, and what others find there.
@Suite(.serialized) struct PushTests {
  private static func image(_ word: String, _ packings: [Packing] = [.gzip, .zstd]) async throws -> ServedImage {
    var layers: [PackedLayer] = []
    for (number, packing) in packings.enumerated() {
      let noise = (0..<(300_000 + number)).map { _ in UInt8.random(in: 0...255) }
      layers.append(try await PackedLayer([.file("\(word)\(number)", bytes: noise)], packing))
    }
    return ServedImage(layers)
  }

  private static func skopeo(_ arguments: String...) async throws -> [UInt8] {
    let output = try await Command.run(
      "/usr/bin/skopeo", ["--insecure-policy"] + arguments, environment: ["PATH=/usr/bin:/bin", "HOME=/nonexistent"],
      timeout: .seconds(60), outputLimit: 16 << 20)
    guard output.succeeded else { throw Fault(.internal, "skopeo: " + String(decoding: output.stderr, as: UTF8.self)) }
    return output.stdout
  }

  @Test(arguments: [false, true]) func `what is pushed has the same digests for skopeo and for another node`(keeping: Bool) async throws {
    let image = try await Self.image("push")
    try await withLocalRegistry { source in
      try source.add(image, to: "from/image", tag: "1")
      try await withLocalRegistry { target in
        let name = target.authority + "/to/image:2"
        try await Node.with(settings: "[images]\nkeep_layer_blobs = \(keeping)\n") { node in
          let id = try await node.pull(source.authority + "/from/image:1")
          #expect(try node.storedThings().count { $0.hasPrefix("content/") } == (keeping ? 4 : 2))
          let pushed = try await node.push(source.authority + "/from/image:1", to: name)
          #expect(pushed.image?.digest == image.digest.description)
          #expect(pushed.layers.values.map(\.phase) == Array(repeating: .done, count: 3))
          let again = try await node.push(id, to: name)
          #expect(again.layers.values.allSatisfy { $0.phase == .present })
          try await eventually("nothing more is kept than before") {
            try node.storedThings().count { $0.hasPrefix("content/") } == (keeping ? 4 : 2) ? true : nil
          }
        }
        let found1 = try await Self.skopeo("inspect", "--raw", "--tls-verify=false", "docker://" + name)
        #expect(found1 == image.manifest)
        try await withScratch("copy") { scratch in
          _ = try await Self.skopeo("copy", "--src-tls-verify=false", "docker://" + name, "dir:" + scratch + "/dir")
          #expect(try Files.read(scratch + "/dir/manifest.json") == image.manifest)
        }
        try await Node.with { node in
          let found2 = try await node.pull(name)
          #expect(found2 == Digest.sha256(of: image.config).description)
          let found3 = try await node.images()[0].repoDigests
          #expect(found3 == [target.authority + "/to/image@\(image.digest)"])
        }
      }
    }
  }

  @Test func `within one registry layers are mounted, not sent`() async throws {
    let image = try await Self.image("mount")
    try await withLocalRegistry { registry in
      try registry.add(image, to: "from/image", tag: "1")
      try await Node.with { node in
        _ = try await node.pull(registry.authority + "/from/image:1")
        let pushed = try await node.push(registry.authority + "/from/image:1", to: registry.authority + "/other/image:1")
        #expect(pushed.layers.values.map(\.phase) == [.mounted, .mounted, .mounted])
      }
      let name = "docker://" + registry.authority + "/other/image:1"
      let found4 = try await Self.skopeo("inspect", "--raw", "--tls-verify=false", name)
      #expect(found4 == image.manifest)
    }
  }

  @Test func `an index goes as its own platform's manifest, or whole`() async throws {
    let (own, foreign) = (try await Self.image("own"), try await Self.image("foreign"))
    let other = ServedImage(foreign.layers, platform: Platform(os: "linux", architecture: "s390x"))
    try await withLocalRegistry { source in
      try source.add(own, to: "from/image", tag: "own")
      try source.add(other, to: "from/image", tag: "other")
      let index = ServedIndex([(own, .host), (other, Platform(os: "linux", architecture: "s390x"))])
      try source.add(manifest: index.bytes, to: "from/image", tag: "1")
      try await withLocalRegistry { target in
        try await Node.with { node in
          _ = try await node.pull(source.authority + "/from/image:1")
          let name = target.authority + "/to/image:"
          let found5 = try await node.push(source.authority + "/from/image:1", to: name + "own").image?.digest
          #expect(found5 == own.digest.description)
          let all = try await node.push(source.authority + "/from/image:1", to: name + "all", all: true)
          #expect(all.image?.digest == index.digest.description)
          let one = try await node.push(source.authority + "/from/image:1", to: name + "s390x", platform: "linux/s390x")
          #expect(one.image?.digest == other.digest.description)
          await #expect(throws: GRPCStatus.self) {
            try await node.push(source.authority + "/from/image:1", to: name + "none", platform: "linux/riscv64")
          }
        }
        let raw = "docker://" + target.authority + "/to/image:all"
        let found6 = try await Self.skopeo("inspect", "--raw", "--tls-verify=false", raw)
        #expect(found6 == index.bytes)
        try await withScratch("copy") { scratch in
          _ = try await Self.skopeo("copy", "--all", "--src-tls-verify=false", raw, "dir:" + scratch + "/dir")
        }
      }
    }
  }

  @Test func `a signature that is pushed is found with the image it is of, in a registry that keeps no list`() async throws {
    let image = try await Self.image("signed")
    let empty = Array("{}".utf8)
    var signature = Manifest(
      config: Descriptor(mediaType: "application/vnd.oci.empty.v1+json", digest: .sha256(of: empty), size: 2),
      layers: [Descriptor(mediaType: "application/vnd.oci.empty.v1+json", digest: .sha256(of: empty), size: 2)])
    signature.artifactType = "application/vnd.test.signature"
    let subject: JSON = [
      "mediaType": .string(MediaType.ociManifest), "digest": .string("\(image.digest)"), "size": .number("\(image.manifest.count)"),
    ]
    let bytes = try JSON(parsing: JSONDocument.encode(signature)).setting("subject", subject).bytes
    try await withLocalRegistry { source in
      try source.add(image, to: "from/image", tag: "1")
      try source.add(blob: empty, to: "from/image")
      try source.add(manifest: bytes, to: "from/image", tag: "signature")
      try await withLocalRegistry { target in
        try await Node.with { node in
          for tag in ["1", "signature"] {
            _ = try await node.pull(source.authority + "/from/image:" + tag)
            // Twice: the second finds everything in its place, and adds nothing.
            for _ in 0..<2 { try await node.push(source.authority + "/from/image:" + tag, to: target.authority + "/to/image:" + tag) }
          }
          let listed = try await node.commandLine("images", "referrers", "--json", target.authority + "/to/image:1")
          let referrers = try JSON(parsing: Array(listed.stdout.utf8))["referrers"]?.array ?? []
          #expect(referrers.map { $0["digest"]?.string } == ["\(Digest.sha256(of: bytes))"], "\(listed)")
          #expect(referrers.map { $0["artifactType"]?.string } == ["application/vnd.test.signature"], "\(listed)")
        }
      }
    }
  }

  @Test func `where nobody has a layer any more, the push says so and names it`() async throws {
    let image = try await Self.image("gone")
    try await withLocalRegistry { target in
      try await Node.with { node in
        try await withHostileServer {
          image.answer($0)
        } _: { server in
          _ = try await node.pull(server.authority + "/test/image:1")
        }
        let id = try #require(try await node.images().first?.id)
        do {
          _ = try await node.push(id, to: target.authority + "/to/image:1")
          Issue.record("it was pushed")
        } catch {
          let message = "\(error)"
          #expect(message.contains("keep_layer_blobs") && message.contains("sha256:"), "\(message)")
        }
      }
    }
  }
}

/// An index as a registry has it.
struct ServedIndex {
  let bytes: [UInt8]
  var digest: Digest { .sha256(of: bytes) }

  init(_ images: [(ServedImage, Platform)]) {
    bytes = JSONDocument.encode(
      Index(
        manifests: images.map { image, platform in
          Descriptor(
            mediaType: MediaType.ociManifest, digest: image.digest, size: Int64(image.manifest.count), platform: platform)
        }))
  }
}

/// What a push told.
struct PushReport {
  var layers: [UInt32: Berth_V1_LayerProgress] = [:]
  var image: Berth_V1_PushedImage?
}

extension Node {
  @discardableResult
  func push(_ image: String, to name: String, all: Bool = false, platform: String = "") async throws -> PushReport {
    let request = Berth_V1_PushRequest.with {
      $0.image = image
      $0.to = name
      $0.allPlatforms = all
      $0.platform = platform
    }
    var report = PushReport()
    for try await event in try berth().serverStreaming("/berth.v1.Berth/Push", request, returning: Berth_V1_PushProgress.self) {
      switch event.event {
      case .layer(let layer): report.layers[layer.index] = layer
      case .pushed(let image): report.image = image
      default: break
      }
    }
    return report
  }

  func export(_ images: [String], to path: String, platform: String = "", all: Bool = false) async throws {
    let request = Berth_V1_ExportRequest.with {
      $0.images = images
      $0.platform = platform
      $0.allPlatforms = all
    }
    let file = try FileHandle.create(path)
    for try await chunk in try berth().serverStreaming("/berth.v1.Berth/Export", request, returning: Berth_V1_ExportChunk.self) {
      try Files.write(Array(chunk.data), to: file.raw, path)
    }
  }
}
