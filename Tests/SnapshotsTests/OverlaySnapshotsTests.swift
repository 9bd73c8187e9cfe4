import Core
import Linux
import OCI
import Snapshots
import Support
import Testing

@Suite struct OverlaySnapshotsTests {
  @Test func namesThatAreNoNamesAreRefused() async throws {
    try await withScratch { root in
      let snapshots = try OverlaySnapshots(root: root)
      for key in ["", ".", "..", "a/b", ".removed", "a\u{0}b"] {
        await #expect(throws: Fault.self) { try await snapshots.prepare(key, above: []) }
      }
    }
  }
}
