import Content
import Core
import Linux
import OCI
import Support
import Testing

/// One layer, applied and committed, mounted as overlay.
@Suite struct LayerApplyTests {
  private let entries: [Tar.Entry] = [
    .directory("./").mode(0o700).owned(5, 6),
    .directory("bin/").modified(1_600_000_000, 123_456_789),
    .file("bin/su", "root").mode(0o4755).owned(0, 10).modified(1_500_000_000, 1),
    .link("bin/sudo", "bin/su"),
    .symlink("sbin", "bin").owned(1, 2),
    .fifo("pipe").mode(0o620),
    .device("null", "3", 1, 3).mode(0o666), .device("disk", "4", 8, 1),
    .file("ping", "net").attribute("security.capability", [1, 0, 0, 2, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
    .file("user", "").attribute("user.note", Array("hello".utf8)),
  ]

  @Test(arguments: Packing.allCases) func aLayerIsAppliedWithAllItsMetadata(_ packing: Packing) async throws {
    try await withScratch { root in
      let store = try LayerDirectories(root: root)
      let layer = try await PackedLayer(entries, packing)
      let applied = try await store.apply(layer, piece: 1000)
      let info = try await store.commit(applied, above: [])
      #expect(info.id.digest == layer.description.diffID)
      #expect(info.usage == DiskUsage(bytes: 7, inodes: 9))
      let listing = try TreeListing(LayerLayout.files(root, info.id)).lines
      #expect(
        listing == [
          "bin": "directory 755 0:0 1600000000.123456789",
          "bin/su": "regular 4755 0:10 1500000000.1 4 4813494d137e",
          "bin/sudo": "regular 4755 0:10 1500000000.1 4 4813494d137e = bin/su",
          "sbin": "symlink 777 1:2 1700000000.0 -> bin",
          "pipe": "fifo 620 0:0 1700000000.0",
          "null": "characterDevice 666 0:0 1700000000.0 1:3",
          "disk": "blockDevice 644 0:0 1700000000.0 8:1",
          "ping":
            "regular 644 0:0 1700000000.0 security.capability=[1, 0, 0, 2, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] 3 a08a0fcbdeaf",
          "user": "regular 644 0:0 1700000000.0 user.note=[104, 101, 108, 108, 111] 0 e3b0c44298fc",
        ])
      #expect(try await store.verify(info.id) == [])
    }
  }
}
