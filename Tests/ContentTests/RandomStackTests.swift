import Content
import Core
import Linux
import OCI
import Support
import Testing

/// Stacks of layers made of all that leads out (`..`, absolute and climbing symlinks, hard links through them, whiteouts of parents, lying PAX
/// records), each applied on top of those that were taken: nothing comes to lie outside of the store. `hack/fuzz` looks from outside, too.
@Suite struct RandomStackTests {
  private static let rounds = 60

  @Test(.timeLimit(.minutes(5)), arguments: Load.seeds(from: 1)) func `stacks of hostile layers stay where they belong`(seed: UInt64)
    async throws
  {
    var entries = HostileEntries(seed: seed)
    try await withScratch("stack") { scratch in
      let root = scratch + "/deep/inside/root"
      try Files.makeDirectories(root)
      for name in ["berth-escape", "deep/passwd"] { try Files.write("canary", to: "\(scratch)/\(name)") }
      let store = try LayerDirectories(root: root)
      let outside = try Self.outside(scratch)
      var taken = 0
      for _ in 0..<Self.rounds { taken += try await Self.stack((0..<4).map { _ in entries.archive() }, store, root) }
      #expect(taken > 0, "some of it is harmless")
      #expect(try Self.outside(scratch) == outside)
      #expect(!Files.exists("/berth-escape"))
    }
  }

  /// How many of the layers were taken; none of them is left.
  private static func stack(_ archives: [[UInt8]], _ store: LayerDirectories, _ root: String) async throws -> Int {
    var ids: [LayerID] = []
    for tar in archives {
      let layer = PackedLayer(tar: tar, blob: tar, mediaType: MediaType.ociLayer)
      var applied: (any AppliedLayer)?
      do {
        let now = try await store.apply(layer)
        applied = now
        ids.append(try await store.commit(now, above: ids).id)
      } catch {
        _ = Fault(error)
        if let applied { await store.discard(applied) }
      }
    }
    for id in Set(ids) {
      let differences = try await store.verify(id)
      #expect(differences == [])
    }
    for id in Set(ids) { try await store.remove(id) }
    #expect(try Files.list(root + "/layers") == ["ingest"] && Files.list(root + "/layers/ingest") == [])
    return ids.count
  }

  /// Everything in the scratch directory but what is below the store's root.
  private static func outside(_ scratch: String) throws -> [String] {
    try TreeListing(scratch).lines.filter { !$0.key.hasPrefix("deep/inside/root/") }.map { "\($0.key) \($0.value)" }.sorted()
  }
}
