import BerthAPI
import CRIAPI
import Core
import GRPC
import Linux
import Logging
import NIOCore
import OCI
import Support
import SwiftProtobuf
import Synchronization
import Testing

/// berthd is killed in the middle of pulls: what it lists afterwards is whole, and what was done is not done again.
@Suite(.serialized) struct KilledPullTests {
  /// `hack/soak-pulls` makes it another number.
  private static let kills = Load.number("BERTH_KILLS", usual: 40)

  /// A layer of some files of noise: no two layers share anything.
  private static func noisy(_ number: Int, files: Int = 12, size: Int = 60_000) async throws -> PackedLayer {
    let entries = (0..<files).map { file in
      Tar.Entry.file("opt/\(number)/\(file)", bytes: (0..<size).map { _ in UInt8.random(in: 0...255) })
    }
    return try await PackedLayer([.directory("opt"), .directory("opt/\(number)")] + entries, .gzip)
  }

  @Test(.timeLimit(.minutes(10))) func `killed at random moments of pulls from a registry, every listed image is whole`() async throws {
    var layers: [PackedLayer] = []
    for number in 0..<6 { layers.append(try await Self.noisy(number)) }
    let image = ServedImage(layers)
    try await withLocalRegistry { registry in
      try registry.add(image, to: "test/storm", tag: "1")
      try await Node.with { node in
        let name = registry.authority + "/test/storm:1"
        var listed = 0
        for round in 0..<Self.kills {
          let pull = Task { _ = try? await node.pull(name) }
          try await Task.sleep(for: .milliseconds(Int.random(in: 0...120)))
          try await node.kill()
          await pull.value
          try await node.start()
          listed += try await node.expectWhole()
          _ = try await node.pull(name)
          _ = try await node.expectWhole()
          // Now and then nothing is removed, so that a pull finds what the one before left.
          if round % 3 != 2 { try await node.expectNothing(of: [name]) }
        }
        print("kills: \(Self.kills), images listed after them: \(listed)")
      }
    }
  }

  @Test func `layers that were finished before the kill are not fetched again`() async throws {
    var layers: [PackedLayer] = []
    for number in 0..<3 { layers.append(try await Self.noisy(number, files: 2)) }
    let image = ServedImage(layers)
    let held = "\(layers[2].description.descriptor.digest)"
    let isHeld = Mutex(true)
    try await withHostileServer { request in
      isHeld.withLock { $0 } && request.path.hasSuffix(held) ? [.pause(.seconds(60))] : image.answer(request)
    } _: { server in
      try await Node.with { node in
        let name = server.authority + "/test/image:1"
        let pull = Task { _ = try? await node.pull(name) }
        try await eventually("two layers are there") { try node.committedLayers() == 2 ? true : nil }
        try await eventually("the pull says so") { try await node.pulls().first?.summary.hasPrefix("2 of 3 layers") == true ? true : nil }
        try await node.restart()
        await pull.value
        isHeld.withLock { $0 = false }
        #expect(try node.committedLayers() == 2)
        _ = try await node.pull(name)
        for layer in layers[..<2] {
          let fetched = server.requests.count { $0.path.hasSuffix("\(layer.description.descriptor.digest)") }
          #expect(fetched == 1)
        }
        #expect(try await node.pulls().isEmpty)
      }
    }
  }

  @Test func `what an unfinished pull left goes with the image's name`() async throws {
    let layers = [try await Self.noisy(0, files: 1), try await Self.noisy(1, files: 1)]
    let image = ServedImage(layers)
    let held = "\(layers[1].description.descriptor.digest)"
    try await withHostileServer { request in
      request.path.hasSuffix(held) ? [.pause(.seconds(60))] : image.answer(request)
    } _: { server in
      try await Node.with { node in
        let name = server.authority + "/test/image:1"
        let pull = Task { _ = try? await node.pull(name) }
        try await eventually("one layer is there") { try node.committedLayers() == 1 ? true : nil }
        try await node.restart()
        await pull.value
        #expect(try node.committedLayers() == 1)
        try await node.removeImage(name)
        try await eventually("nothing is left") { try node.storedThings().isEmpty ? true : nil }
      }
    }
  }

  @Test func `damage is found by name, and repaired by fetching just the damaged layer`() async throws {
    let layers = [try await Self.noisy(0, files: 2), try await Self.noisy(1, files: 2)]
    let image = ServedImage(layers)
    try await withHostileServer {
      image.answer($0)
    } _: { server in
      try await Node.with { node in
        _ = try await node.pull(server.authority + "/test/image:1")
        let file = "\(node.root)/layers/sha256-\(layers[1].description.diffID.hex)/fs/opt/1/0"
        try Files.write("damaged", to: file, create: false)
        let found = try await node.verify()
        #expect(found.count == 1 && found[0].whole == false)
        #expect(found[0].layers[0].findings.isEmpty && found[0].layers[1].findings.contains { $0.hasPrefix("opt/1/0: ") }, "\(found)")
        let before = server.requests.count { $0.path.contains("/blobs/") }
        let repaired = try await node.verify(repair: true)
        #expect(repaired[0].whole && repaired[0].layers[1].repaired, "\(repaired)")
        #expect(server.requests.count { $0.path.contains("/blobs/") } == before + 1)
        #expect(try await node.verify()[0].whole)
        #expect(try Files.read(file).count == 60_000)
      }
    }
  }

  @Test func `a kept blob that is damaged or gone is found, and repaired by fetching just that`() async throws {
    let layers = [try await Self.noisy(0, files: 2), try await Self.noisy(1, files: 2)]
    let image = ServedImage(layers)
    try await withHostileServer {
      image.answer($0)
    } _: { server in
      try await Node.with(settings: "[images]\nkeep_layer_blobs = true\n") { node in
        let name = server.authority + "/test/image:1"
        _ = try await node.pull(name)
        _ = try await node.pull(server.authority + "/test/other:1")
        let digests = layers.map { $0.description.descriptor.digest }
        let files = digests.map { "\(node.root)/content/sha256/\($0.hex)" }
        var bytes = layers[0].blob
        bytes[bytes.count / 2] ^= 1
        try Files.write(bytes, to: files[0], create: false)
        try Files.remove(files[1])
        let found = try await node.verify()
        #expect(found.count == 1 && !found[0].whole && found[0].layers.allSatisfy { $0.findings.isEmpty }, "\(found)")
        #expect(
          found[0].findings.contains { $0.hasPrefix("kept blob \(digests[0]): ") && $0.contains("does not match its digest") }, "\(found)")
        #expect(found[0].findings.contains { $0.hasPrefix("kept blob \(digests[1]): ") && $0.contains("no such blob") }, "\(found)")
        let before = server.requests.count { $0.path.contains("/blobs/") }
        let repaired = try await node.verify(repair: true)
        #expect(repaired[0].whole, "\(repaired)")
        #expect(server.requests.count { $0.path.contains("/blobs/") } == before + 2)
        #expect(try await node.verify()[0].whole)
        for (file, layer) in zip(files, layers) { #expect(try Files.read(file) == layer.blob) }
      }
    }
  }
}

extension Node {
  func committedLayers() throws -> Int {
    try Files.list(root + "/layers").count { $0.hasPrefix("sha256-") && Files.exists("\(root)/layers/\($0)/layer.json") }
  }

  func verify(repair: Bool = false) async throws -> [Berth_V1_VerifiedImage] {
    let request = Berth_V1_VerifyImagesRequest.with { $0.repair = repair }
    var verdicts: [Berth_V1_VerifiedImage] = []
    let answers = try berth().serverStreaming("/berth.v1.Berth/VerifyImages", request, returning: Berth_V1_VerifiedImage.self)
    for try await verdict in answers { verdicts.append(verdict) }
    return verdicts
  }

  func pulls() async throws -> [Berth_V1_RunningPull] {
    try await berth().unary("/berth.v1.Berth/ListPulls", Berth_V1_ListPullsRequest(), returning: Berth_V1_ListPullsResponse.self).pulls
  }
}

extension LocalRegistry {
  func add(_ image: ServedImage, to repository: String, tag: String) throws {
    try add(blob: image.config, to: repository)
    for layer in image.layers { try add(blob: layer.blob, to: repository) }
    try add(manifest: image.manifest, to: repository, tag: tag)
  }
}
