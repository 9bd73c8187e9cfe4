import Core
import Linux
import Support
import Testing

@testable import Content

/// Names and sizes as nobody in their right mind writes them.
@Suite struct HostileFigureTests {
  private static func sum(_ bytes: [UInt8], after start: Checksum = Checksum()) -> Checksum {
    var sum = start
    bytes.withUnsafeBytes { sum.update($0) }
    return sum
  }

  @Test func zerosCountedAreAsZerosRead() {
    let start = Self.sum(Array("something".utf8))
    for count in [0, 1, 7, 8, 511, 4096, 1_000_003] {
      var counted = start
      counted.updateZeros(Int64(count))
      #expect(counted == Self.sum([UInt8](repeating: 0, count: count), after: start), "\(count)")
    }
  }

  @Test(.timeLimit(.minutes(1))) func aHoleOfAnySizeIsSummedAtOnce() {
    var (whole, parts) = (Self.sum([1]), Self.sum([1]))
    whole.updateZeros(1 << 62)
    for _ in 0..<4 { parts.updateZeros(1 << 60) }
    #expect(whole == parts)
  }

  @Test func aSparseFileIsAsItsArchiveSays() async throws {
    try await withScratch { root in
      let store = try LayerDirectories(root: root)
      let ids = try await store.add([try await PackedLayer([.sparse("hole", size: 1_000_000, at: 300_000, "here")])])
      let bytes = try Files.read("\(LayerLayout.files(root, ids[0]))/hole", limit: 1_000_000)
      #expect(bytes.count == 1_000_000 && bytes[300_000..<300_004].elementsEqual("here".utf8) && bytes.count { $0 != 0 } == 4)
      #expect(try await store.verify(ids[0]) == [])
    }
  }

  @Test func whatIsCopiedFromALayerBelowKeepsItsHoles() async throws {
    try await withScratch { root in
      let store = try LayerDirectories(root: root)
      let size: Int64 = 64 << 20
      let base = try await PackedLayer([.sparse("hole", size: Int(size), at: Int(size / 2), "here")])
      let ids = try await store.add([base, try await PackedLayer([.link("again", "hole")])])
      let copy = try FileHandle.open("\(LayerLayout.files(root, ids[1]))/again").status()
      #expect(copy.size == size && copy.allocated < 4 << 20)
      #expect(try await store.verify(ids[1]) == [])
    }
  }

  @Test(arguments: ["e" + String(repeating: "\u{301}", count: 300), String(repeating: "ä", count: 99), String(repeating: "n", count: 100)])
  func aTarsNameIsCutByBytes(name: String) {
    #expect(TarHeader.file(name, size: 1).count == (name.utf8.count > 100 ? 1024 + (name.utf8.count + 520) / 512 * 512 : 512))
  }

  @Test func aTarsMemberEndsWithTheTar() throws {
    try withScratch { root in
      let entries: [Tar.Entry] = [.file("manifest.json", "[]"), .file("layer.tar", "x").with { $0.size = 1 << 61 }]
      try Files.write(Tar(entries).bytes, to: "\(root)/archive.tar")
      let fault = #expect(throws: Fault.self) { try TarIndex(FileHandle.open("\(root)/archive.tar")) }
      #expect(fault?.code == .dataLoss)
    }
  }

  @Test func aLayerAsDeepAsIsAllowedIsPutRightAboveOthers() async throws {
    let inner = Array(repeating: "d", count: LayerTree.maximumDepth - 1).joined(separator: "/")
    let base: [Tar.Entry] = [.directory("d/" + inner), .directory("old/" + inner), .symlink("s", "d")]
    let upper: [Tar.Entry] = [
      .directory("s/" + inner), .whiteout("s/\(inner.dropLast(2))/none"),
      .directory("old/" + inner), .whiteout("old"), .file("old", "new"),
    ]
    try await withScratch { root in
      let store = try LayerDirectories(root: root)
      let ids = try await store.add([try await PackedLayer(base), try await PackedLayer(upper)])
      #expect(try await store.verify(ids[1]) == [])
      #expect(Files.exists("\(LayerLayout.files(root, ids[1]))/d/\(inner)"))
    }
  }
}
