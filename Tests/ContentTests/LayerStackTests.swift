import Content
import Core
import Linux
import OCI
import Support
import Testing

/// Layers applied in isolation and then fixed up are what layers applied one after the other are: umoci does the latter.
@Suite struct LayerStackTests {
  @Test(arguments: LayerShapes.all) func aStackIsWhatApplyingOneAfterTheOtherGives(_ shape: LayerShapes.Shape) async throws {
    try await withScratch { root in
      let layers = try await pack(shape.make())
      let store = try LayerDirectories(root: root)
      let ids = try await store.add(layers)
      let start = FileTime.now.seconds
      var expected = try TreeListing(try await Umoci.unpack(layers, in: root))
      let mount = RootfsMount(lower: ids.reversed().map { LayerLayout.files(root, $0) }, upper: "\(root)/upper", work: "\(root)/work")
      for path in ["upper", "work"] { try Files.makeDirectories("\(root)/\(path)", mode: 0o755) }
      var listing = try await withOverlay(mount, at: "\(root)/merged") { try TreeListing("\(root)/merged") }
      // umoci gives directories that no entry describes, or that something was removed from, the time of doing so.
      expected.dropDirectoryTimes(with: &listing) { $0 >= start && $0 < 4_000_000_000 }
      #expect(listing.differences(from: expected) == [])
      for id in ids { #expect(try await store.verify(id) == []) }
      #expect(try Files.list("\(root)/layers/ingest") == [])
    }
  }

  /// Equal layers are made once, and shared between shapes that do not depend on what is below.
  private func pack(_ stack: [[Tar.Entry]]) async throws -> [PackedLayer] {
    var layers: [PackedLayer] = []
    for entries in stack { layers.append(try await PackedLayer(entries, .gzip)) }
    return layers
  }

  @Test func aLayerWithoutOpenReferencesServesAnyChain() async throws {
    try await withScratch { root in
      let store = try LayerDirectories(root: root)
      let base = try await PackedLayer([.directory("etc"), .file("etc/a", "a")])
      let other = try await PackedLayer([.directory("opt"), .file("opt/b", "b")])
      let open = try await PackedLayer([.file("etc/c", "c")])
      let ids = try await store.add([base, other, open])
      #expect(ids[0].digest == base.description.diffID)
      #expect(ids[1].digest == other.description.diffID)
      let chain = ChainID.compute([base, other, open].map(\.description.diffID))!
      #expect(ids[2].digest == chain)
      #expect(store.find(other.description.diffID, chainID: Digest.sha256(of: []))?.id == ids[1])
      #expect(store.find(open.description.diffID, chainID: chain)?.id == ids[2])
      #expect(store.find(open.description.diffID, chainID: open.description.diffID) == nil)
      let again = try LayerDirectories(root: root)
      #expect(Set(try again.list().map(\.id)) == Set(ids))
    }
  }

  @Test func theSameLayerCommittedTwiceIsOne() async throws {
    try await withScratch { root in
      let store = try LayerDirectories(root: root)
      let layer = try await PackedLayer([.file("a", "a")])
      let (first, second) = (try await store.apply(layer), try await store.apply(layer))
      async let one = store.commit(first, above: [])
      async let two = store.commit(second, above: [])
      #expect(try await one == two)
      #expect(try store.list().count == 1)
      #expect(try Files.list("\(root)/layers/ingest") == [])
    }
  }
}
