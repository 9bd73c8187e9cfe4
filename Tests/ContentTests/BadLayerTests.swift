import Content
import Core
import Linux
import OCI
import Support
import Testing

/// Layers that are hostile, damaged or too large: each ends with an error that names layer, entry and cause, and leaves nothing behind.
@Suite struct BadLayerTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let entries: @Sendable () -> [Tar.Entry]
    let words: [String]
    var testDescription: String { name }

    init(_ name: String, _ entries: @escaping @Sendable @autoclosure () -> [Tar.Entry], _ words: String...) {
      self.name = name
      self.entries = entries
      self.words = words
    }
  }

  static let hostile: [Case] = [
    Case("..", [.file("../outside", "x")], "entry \"../outside\"", "\"..\" in a path"),
    Case(".. inside", [.file("a/../../outside", "x")], "entry \"a/../../outside\""),
    Case("a symlink that climbs out", [.symlink("out", "../../../outside"), .file("out/file", "x")], "entry \"out/file\"", "climbs out"),
    Case("a symlink loop", [.symlink("a", "b"), .symlink("b", "a"), .file("a/x", "x")], "entry \"a/x\"", "too many symlinks"),
    Case("a hard link that climbs out", [.link("l", "../../etc/passwd")], "entry \"l\"", "hard link to \"../../etc/passwd\""),
    Case("a hard link to nothing", [.link("l", "none")], "entry \"l\"", "\"none\", which does not exist"),
    Case("a hard link to a directory", [.directory("d"), .link("l", "d")], "entry \"l\"", "hard link to the directory \"d\""),
    Case("a hard link by a symlink that climbs out", [.symlink("s", "../.."), .link("l", "s/etc/passwd")], "entry \"l\"", "climbs out"),
    Case("a file as a parent", [.file("f", "x"), .file("f/x", "y")], "entry \"f/x\"", "\"f\" on the way is not a directory"),
    Case("a whiteout of nothing", [.file(".wh.", "")], "entry \".wh.\"", "names nothing"),
    Case("a whiteout of the parent", [.file("a/.wh...", "")], "names nothing"),
    Case("a whiteout made by hand", [.device("w", "3", 0, 0)], "entry \"w\"", "0:0"),
    Case(
      "a root that is a file",
      [
        .file("./", "x").with {
          $0.type = "2"; $0.link = "etc"
        }
      ], "the root can only be a directory"),
    Case("a long name", [.file(String(repeating: "n", count: 256), "x")], "a name of 256 bytes"),
    Case("a long path", [.file(String(repeating: "name/", count: 900) + "x", "x")], "a path of 4501 bytes"),
    Case("a deep path", [.file(String(repeating: "n/", count: 600) + "x", "x")], "601 directories deep"),
    Case("a name of 10 MB", [.file("before", ""), .file(String(repeating: "n", count: 10 << 20), "x")], "after entry 1, \"before\""),
    Case("2^63 bytes", [.file("huge", "x").with { $0.size = Int.max }], "size overflow"),
    Case("2^62 bytes", [.file("huge", "x").with { $0.pax = [("size", "4611686018427387904")] }], "entry \"huge\"", "bytes, at most"),
    Case(
      "a sparse file of 2^62 bytes",
      [
        .file("sparse", "x").with {
          $0.pax = [
            ("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.realsize", "4611686018427387904"),
            ("GNU.sparse.name", "sparse"),
          ]
        }
      ], "layer sha256:"),
    Case(
      "a sparse file with more content than size",
      [.file("sparse", bytes: [UInt8](repeating: 1, count: 512)).with { $0.pax = [("GNU.sparse.realsize", "77")] }], "entry \"sparse\"",
      "512 bytes at 0, where a file of 77 bytes"),
    Case("an owner that does not exist", [.file("f", "x").owned(4_294_967_295, 0)], "entry \"f\"", "owner 4294967295"),
    Case("a huge attribute", [.file("f", "x").attribute("user.big", [UInt8](repeating: 1, count: 100_000))], "entry \"f\"", "user.big"),
    Case(
      "a damaged header",
      [
        .file("a", "x"),
        .file("b", "y").with {
          $0.type = "0"; $0.pax = [("path", "b")]
        }, .file("c", "").with { $0.size = 1 << 39 },
      ], "layer sha256:"),
  ]

  @Test(arguments: hostile) func aHostileLayerIsRefusedAndLeavesNothing(_ bad: Case) async throws {
    try await withScratch { scratch in
      let root = "\(scratch)/inner/root"
      try Files.makeDirectories(root)
      let store = try LayerDirectories(root: root)
      let layer = try await PackedLayer(bad.entries(), .gzip)
      let fault = try await refusal(of: layer, by: store)
      #expect(fault.code == .invalidArgument, "\(fault)")
      #expect(
        fault.message.contains(layer.description.descriptor.digest.description) || fault.message.contains("\(layer.description.diffID)"))
      for word in bad.words { #expect(fault.message.contains(word), "\(fault.message)") }
      #expect(try Files.list("\(root)/layers/ingest") == [])
      #expect(try Files.list("\(root)/layers") == ["ingest"])
      #expect(try Files.list(scratch) == ["inner"])
      #expect(try Files.list("\(scratch)/inner") == ["root"])
    }
  }

  private func refusal(of layer: PackedLayer, by store: LayerDirectories) async throws -> Fault {
    do {
      let applied = try await store.apply(layer)
      _ = try await store.commit(applied, above: [])
    } catch { return Fault(error) }
    Issue.record("it was accepted")
    return Fault(.unknown, "")
  }

  @Test func absoluteNamesAndLinksStayInside() async throws {
    try await withScratch { root in
      let store = try LayerDirectories(root: root)
      let layer = try await PackedLayer([
        .file("/top", "t"), .symlink("abs", "/inside"), .directory("/inside"), .file("abs/file", "f"), .link("/hard", "/inside/file"),
        .file("//two///slashes/./f", "s"),
      ])
      let ids = try await store.add([layer])
      let listing = try TreeListing(LayerLayout.files(root, ids[0])).lines
      #expect(listing.keys.sorted() == ["abs", "hard", "inside", "inside/file", "top", "two", "two/slashes", "two/slashes/f"])
      #expect(listing["inside/file"]?.hasSuffix("= hard") == true)
    }
  }

  @Test func attributesOfOverlayItselfAreDropped() async throws {
    try await withScratch { root in
      let store = try LayerDirectories(root: root)
      let entry = Tar.Entry.directory("d").attribute("trusted.overlay.opaque", [0x79]).attribute("trusted.overlay.redirect", [0x2f])
      let ids = try await store.add([try await PackedLayer([entry.attribute("user.overlay.origin", [1]).attribute("user.ok", [2])])])
      #expect(try TreeListing(LayerLayout.files(root, ids[0])).lines["d"] == "directory 755 0:0 1700000000.0 user.ok=[2]")
    }
  }

  // MARK: Damaged in transit

  private static let ordinary: [Tar.Entry] = (0..<50).map {
    .file("file\($0)", bytes: (0..<2000).map { UInt8(truncatingIfNeeded: $0 &* $0 &* 31 >> 3) })
  }

  private func expectDamage(_ layer: PackedLayer, _ words: String...) async throws {
    try await withScratch { root in
      let store = try LayerDirectories(root: root)
      let fault = try await refusal(of: layer, by: store)
      #expect(fault.code == .dataLoss, "\(fault)")
      for word in words + ["layer \(layer.description.descriptor.digest)"] { #expect(fault.message.contains(word), "\(fault.message)") }
      #expect(try Files.list("\(root)/layers") == ["ingest"])
      #expect(try Files.list("\(root)/layers/ingest") == [])
    }
  }

  @Test(arguments: Packing.allCases) func aTruncatedLayerIsRefused(_ packing: Packing) async throws {
    var layer = try await PackedLayer(Self.ordinary, packing)
    layer.blob.removeLast(layer.blob.count / 3)
    try await expectDamage(layer, "ended after \(layer.blob.count) bytes")
  }

  @Test(arguments: Packing.allCases) func aLayerThatIsTruncatedAtItsSourceIsRefused(_ packing: Packing) async throws {
    let tar = Tar(Self.ordinary).bytes
    let blob = try await packing.pack(tar)
    let layer = PackedLayer(tar: tar, blob: Array(blob.dropLast(blob.count / 3)))
    try await withScratch { root in
      let fault = try await refusal(of: layer, by: try LayerDirectories(root: root))
      #expect(fault.code == .dataLoss || packing == .plain, "\(fault)")
      #expect(fault.message.contains("layer \(layer.description.descriptor.digest)"))
      #expect(try Files.list("\(root)/layers/ingest") == [])
    }
  }

  @Test(arguments: Packing.allCases) func aLayerWithADamagedByteIsRefused(_ packing: Packing) async throws {
    var layer = try await PackedLayer(Self.ordinary, packing)
    layer.blob[layer.blob.count / 2] ^= 0x55
    try await expectDamage(layer, "arrived as sha256:")
  }

  @Test(arguments: Packing.allCases) func aLayerDamagedAtItsSourceIsRefused(_ packing: Packing) async throws {
    let tar = Tar(Self.ordinary).bytes
    var blob = try await packing.pack(tar)
    blob[blob.count / 2] ^= 0x55
    try await expectDamage(PackedLayer(tar: tar, blob: blob), packing == .plain ? "its tar is sha256:" : packing.rawValue)
  }

  @Test func aWrongDiffIDIsRefused() async throws {
    let layer = try await PackedLayer(Self.ordinary, .gzip)
    try await expectDamage(PackedLayer(tar: [1], blob: layer.blob), "its tar is \(layer.description.diffID)")
  }

  @Test func aLayerLongerThanItsDescriptorSaysIsRefused() async throws {
    var layer = try await PackedLayer(Self.ordinary, .gzip)
    layer.blob += [0]
    try await expectDamage(layer, "longer than")
  }

  @Test func whatIsNoTarIsRefused() async throws {
    try await withScratch { root in
      let store = try LayerDirectories(root: root)
      for bytes in [Array("hello, this is no tar at all".utf8), [UInt8](repeating: 0x41, count: 5000)] {
        let fault = try await refusal(of: PackedLayer(tar: bytes, blob: bytes), by: store)
        #expect(fault.code == .invalidArgument)
      }
      #expect(try Files.list("\(root)/layers/ingest") == [])
    }
  }

  @Test func aLayerThatUnpacksToFarTooMuchIsRefused() async throws {
    try await withScratch { root in
      var limits = ExtractionLimits()
      (limits.freeExpansion, limits.expansion) = (1 << 20, 100)
      let store = try LayerDirectories(root: root, limits: limits)
      let layer = try await PackedLayer([.file("zeros", bytes: [UInt8](repeating: 0, count: 20 << 20))], .gzip)
      let fault = try await refusal(of: layer, by: store)
      #expect(fault.message.contains("more than 100 times its size"))
      #expect(fault.code == .invalidArgument)
      #expect(try Files.list("\(root)/layers/ingest") == [])
    }
  }

  @Test func `attributes that no filesystem here can carry are left out, and are no damage`() async throws {
    try await withScratch { root in
      let store = try LayerDirectories(root: root)
      let strange = [Tar.Entry.file("f", "f"), .directory("d"), .symlink("s", "f"), .fifo("p")].map {
        $0.attribute("odd.a", [1]).attribute("user.a", [2])
      }
      let ids = try await store.add([try await PackedLayer(strange)])
      #expect(try TreeListing(LayerLayout.files(root, ids[0])).lines["f"]?.contains("user.a=[2]") == true)
      let differences = try await store.verify(ids[0])
      #expect(differences == [])
    }
  }

  @Test func aFullDiskFailsTheLayerAndLeavesNothing() async throws {
    try await withScratch { scratch in
      try await withTmpfs("\(scratch)/disk", size: "4m") { root in
        let store = try LayerDirectories(root: root)
        let layer = try await PackedLayer([.file("small", "s"), .file("large", bytes: [UInt8](repeating: 7, count: 6 << 20))], .gzip)
        let fault = try await refusal(of: layer, by: store)
        #expect(fault.code == .resourceExhausted, "\(fault)")
        #expect(fault.message.contains("entry \"large\"") && fault.message.contains("No space left"))
        #expect(try Files.list("\(root)/layers/ingest") == [])
        #expect(try await store.add([try await PackedLayer([.file("small", "s")])]).count == 1)
      }
    }
  }

  @Test func anAbortedLayerLeavesNothing() async throws {
    try await withScratch { root in
      let store = try LayerDirectories(root: root)
      let layer = try await PackedLayer(Self.ordinary, .gzip)
      let ingest = try await store.ingest(layer.description)
      try await ingest.write(Array(layer.blob.prefix(layer.blob.count / 2)))
      await ingest.abort()
      #expect(try Files.list("\(root)/layers/ingest") == [])
      let applied = try await store.apply(layer)
      await store.discard(applied)
      #expect(try Files.list("\(root)/layers/ingest") == [])
    }
  }
}
