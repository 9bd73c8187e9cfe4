import Content
import Core
import Linux
import OCI
import Support
import Testing

/// Layers that were damaged at random: none crashes the applier, leaves anything behind, or writes anything outside. The seed is in the test's name.
@Suite struct RandomLayerTests {
  private static let entries: [Tar.Entry] = [
    .directory("etc"), .file("etc/passwd", String(repeating: "root", count: 300)), .symlink("lib", "etc"), .link("etc/p", "etc/passwd"),
    .file("lib/through", "x"), .whiteout("etc/gone"), .opaque("var"), .device("null", "3", 1, 3), .fifo("pipe"),
    .file(String(repeating: "n", count: 200), "long name").attribute("user.a", [1, 2, 3]),
    .file("numbers", "n").owned(4_000_000_000, 7).modified(4_000_000_000, 5),
  ]

  private static let rounds = 150

  @Test(.timeLimit(.minutes(5)), arguments: [Packing.plain, .gzip, .zstd], Load.seeds(from: 1))
  func `damage ends in an error or in a layer`(
    packing: Packing, seed: UInt64
  )
    async throws
  {
    var numbers = SeededNumbers(seed: seed)
    let tar = Tar(Self.entries).bytes
    let packed = try await packing.pack(tar)
    try await withScratch("random") { scratch in
      let store = try LayerDirectories(root: scratch + "/root")
      for _ in 0..<Self.rounds {
        let bytes = Self.damaged(packed, &numbers)
        // A plain tar is its own diff ID, so that what can be applied at all is committed.
        let layer = PackedLayer(tar: packing == .plain ? bytes : tar, blob: bytes, mediaType: packing.mediaType)
        do {
          let applied = try await store.apply(layer)
          let info = try await store.commit(applied, above: [])
          let differences = try await store.verify(info.id)
          #expect(differences == [])
          try await store.remove(info.id)
        } catch { _ = Fault(error) }
        #expect(try Files.list(scratch + "/root/layers/ingest") == [])
      }
      #expect(try Files.list(scratch) == ["root"])
      #expect(try Files.list(scratch + "/root/layers") == ["ingest"])
    }
  }

  /// Some bytes changed, a piece cut out, doubled or moved, or the end cut off.
  private static func damaged(_ bytes: [UInt8], _ numbers: inout SeededNumbers) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...3, using: &numbers) {
      let start = Int.random(in: 0..<bytes.count, using: &numbers)
      let end = min(bytes.count, start + Int.random(in: 1...600, using: &numbers))
      switch Int.random(in: 0..<5, using: &numbers) {
      case 0: bytes[start] = UInt8.random(in: 0...255, using: &numbers)
      case 1: bytes[start] ^= 1 << UInt8.random(in: 0...7, using: &numbers)
      case 2: bytes.insert(contentsOf: bytes[start..<end], at: Int.random(in: 0..<bytes.count, using: &numbers))
      case 3 where end - start < bytes.count: bytes.removeSubrange(start..<end)
      default: if start > 0 { bytes.removeSubrange(start...) }
      }
    }
    return bytes
  }
}
