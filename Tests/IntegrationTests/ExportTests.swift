import BerthAPI
import CRIAPI
import Core
import GRPC
import Linux
import OCI
import Support
import SwiftProtobuf
import Testing

/// Archives of images, and who can read them.
@Suite(.serialized) struct ExportTests {
  private static func run(_ program: String, _ arguments: String...) async throws -> [UInt8] {
    let output = try await Command.run(
      program, arguments, environment: ["PATH=/usr/bin:/bin", "HOME=/nonexistent"], timeout: .seconds(60), outputLimit: 16 << 20)
    guard output.succeeded else { throw Fault(.internal, "\(program): " + String(decoding: output.stderr, as: UTF8.self)) }
    return output.stdout
  }

  private static func layer(_ word: String, _ packing: Packing = .gzip) async throws -> PackedLayer {
    try await PackedLayer([.directory("etc"), .file("etc/\(word)", String(repeating: word, count: 50_000))], packing)
  }

  @Test func `skopeo and umoci read an archive, and a fresh node imports it with the same ID and digest`() async throws {
    let image = ServedImage([try await Self.layer("one"), try await Self.layer("two")])
    let second = ServedImage([try await Self.layer("one"), try await Self.layer("three")])
    try await withLocalRegistry { registry in
      try registry.add(image, to: "test/image", tag: "1")
      try registry.add(second, to: "test/second", tag: "v2")
      let names = [registry.authority + "/test/image:1", registry.authority + "/test/second:v2"]
      try await withScratch("export") { scratch in
        try await Node.with { node in
          for name in names { _ = try await node.pull(name) }
          try await node.export(names, to: scratch + "/both.tar")
          try await node.export(names, to: scratch + "/again.tar")
        }
        #expect(try Files.read(scratch + "/both.tar") == Files.read(scratch + "/again.tar"))
        for (tag, image) in [("1", image), ("v2", second)] {
          let raw = try await Self.run("/usr/bin/skopeo", "inspect", "--raw", "oci-archive:\(scratch)/both.tar:\(tag)")
          #expect(raw == image.manifest)
        }
        let copied = "docker-archive:\(scratch)/docker.tar"
        _ = try await Self.run("/usr/bin/skopeo", "--insecure-policy", "copy", "docker-archive:\(scratch)/both.tar:\(names[1])", copied)
        try Files.makeDirectories(scratch + "/layout")
        _ = try await Self.run("/usr/bin/tar", "-xf", scratch + "/both.tar", "-C", scratch + "/layout")
        _ = try await Self.run("/usr/bin/umoci", "raw", "unpack", "--image", scratch + "/layout:1", scratch + "/unpacked")
        #expect(try Files.read(scratch + "/unpacked/etc/two").count == 150_000)
        try await Node.with { node in
          let imported = try await node.importArchive(scratch + "/both.tar")
          #expect(imported.map(\.id) == [image, second].map { Digest.sha256(of: $0.config).description })
          let tags = try await node.images().flatMap(\.repoTags)
          #expect(Set(tags) == Set(names))
          let digests = try await node.images().flatMap(\.repoDigests)
          #expect(digests.contains(registry.authority + "/test/image@\(image.digest)"))
        }
      }
    }
  }

  @Test func `an index keeps its digest through export and import, one platform or all`() async throws {
    let own = ServedImage([try await Self.layer("own")])
    let other = ServedImage([try await Self.layer("other")], platform: Platform(os: "linux", architecture: "s390x"))
    let index = ServedIndex([(own, .host), (other, Platform(os: "linux", architecture: "s390x"))])
    try await withLocalRegistry { registry in
      try registry.add(own, to: "test/image", tag: "own")
      try registry.add(other, to: "test/image", tag: "other")
      try registry.add(manifest: index.bytes, to: "test/image", tag: "1")
      let name = registry.authority + "/test/image:1"
      try await withScratch("export") { scratch in
        try await Node.with { node in
          _ = try await node.pull(name)
          try await node.export([name], to: scratch + "/here.tar")
          try await node.export([name], to: scratch + "/all.tar", all: true)
          try await node.export([name], to: scratch + "/one.tar", platform: "linux/s390x")
        }
        for archive in ["here", "all"] {
          try await Node.with { node in
            _ = try await node.importArchive("\(scratch)/\(archive).tar")
            let found1 = try await node.images()[0].repoDigests
            #expect(found1 == [registry.authority + "/test/image@\(index.digest)"])
          }
        }
        let found2 = try await Self.run("/usr/bin/skopeo", "inspect", "--raw", "oci-archive:\(scratch)/one.tar:1")
        #expect(found2 == other.manifest)
        _ = try await Self.run(
          "/usr/bin/skopeo", "--insecure-policy", "copy", "--all", "oci-archive:\(scratch)/all.tar:1", "dir:\(scratch)/dir")
      }
    }
  }

  @Test func `with its blobs kept an image is exported though its registry is gone`() async throws {
    let image = ServedImage([try await Self.layer("kept")])
    try await withScratch("export") { scratch in
      try await Node.with(settings: "[images]\nkeep_layer_blobs = true\n") { node in
        var name = ""
        try await withLocalRegistry { registry in
          try registry.add(image, to: "test/image", tag: "1")
          name = registry.authority + "/test/image:1"
          _ = try await node.pull(name)
        }
        try await node.restart()
        try await node.export([name], to: scratch + "/kept.tar")
        try await node.removeImage(name)
        try await eventually("blobs go with their image") { try node.storedThings().isEmpty ? true : nil }
      }
      let found3 = try await Self.run("/usr/bin/skopeo", "inspect", "--raw", "oci-archive:\(scratch)/kept.tar:1")
      #expect(found3 == image.manifest)
    }
  }
}
