import BerthAPI
import Linux
import Support
import Testing

/// What may be expected of an image store whatever has happened to it.
extension Node {
  /// Every listed image is as it was pulled, and nothing is half done. How many are listed.
  func expectWhole() async throws -> Int {
    let listed = try await images().count
    let verdicts = try await verify()
    #expect(verdicts.count == listed)
    for verdict in verdicts { #expect(verdict.whole, "\(verdict)") }
    for directory in ["layers/ingest", "content/ingest", "snapshots/.removed"] {
      // What a killed daemon left goes in the background.
      try await eventually("\(directory) is empty") { try Files.list("\(root)/\(directory)").isEmpty ? true : nil }
    }
    return listed
  }

  /// Once these images are removed, nothing is stored any more: neither theirs nor what pulls that came to no end left.
  func expectNothing(of names: [String]) async throws {
    for name in names { try await removeImage(name) }
    try await eventually("nothing is left, but there is \((try? storedThings()) ?? [])") { try storedThings().isEmpty ? true : nil }
  }
}
