import Content
import Core
import Linux
import OCI
import Support
import Testing

/// What happens to committed layers: found again, verified, read, removed.
@Suite struct LayerStoreTests {
  private let entries: [Tar.Entry] = [
    .directory("d").mode(0o750).attribute("user.a", [1]), .file("d/f", "content").mode(0o640).owned(1, 2), .link("d/l", "d/f"),
    .symlink("s", "d"), .device("null", "3", 1, 3), .file("empty"),
  ]

  @Test func everyChangeToALayerIsFound() async throws {
    try await withScratch { root in
      let store = try LayerDirectories(root: root)
      let id = try await store.add([try await PackedLayer(entries)])[0]
      let files = try Directory.open(LayerLayout.files(root, id))
      #expect(try await store.verify(id) == [])
      let inner = try files.directory("d")
      let file = try FileHandle.open(LayerLayout.files(root, id) + "/d/f", 2)
      try "Content".utf8.withContiguousStorageIfAvailable { try file.write(UnsafeRawBufferPointer($0), at: 0) }
      try file.setModified(FileTime(seconds: 1_700_000_000))
      try inner.setMode("l", 0o600)
      try inner.removeFile("l")
      try inner.makeNode("l", .regular)
      try files.removeFile("s")
      try files.makeSymlink("s", to: "etc")
      try files.removeFile("null")
      try files.removeFile("empty")
      try files.makeDirectory("empty")
      try files.setAttribute("d", "user.a", [2])
      try files.makeDirectory("stranger")
      let lines = try await store.verify(id)
      for line in [
        "d: extended attribute user.a differs", "d/f: its content has changed", "d/f: has mode 600, not 640",
        "d/l: is no longer a hard link",
        "s: points somewhere else", "null: is missing", "empty: is a directory, not a regular", "stranger: not part of the layer",
      ] { #expect(lines.contains(line), "\(lines)") }
    }
  }

  @Test func aDamagedRecordCostsOnlyItsOwnLayer() async throws {
    try await withScratch { root in
      let ids = try await LayerDirectories(root: root).add([
        try await PackedLayer([.file("a", "a")]), try await PackedLayer([.file("b", "b")]), try await PackedLayer([.file("c", "c")]),
      ])
      try Files.write("{", to: LayerLayout.directory(root, ids[0]) + "/layer.json")
      try Files.remove(LayerLayout.directory(root, ids[1]) + "/layer.json")
      let store = try LayerDirectories(root: root)
      #expect(try store.list().map(\.id) == [ids[2]])
      await store.sweep()
      #expect(try Files.list("\(root)/layers") == ["ingest", LayerLayout.name(ids[2])])
      let again = try await store.add([try await PackedLayer([.file("a", "a")])])
      #expect(again == [ids[0]])
    }
  }

  @Test func leftoversOfAnInterruptedApplyAreSwept() async throws {
    try await withScratch { root in
      let store = try LayerDirectories(root: root)
      _ = try await store.apply(try await PackedLayer(entries))
      #expect(try Files.list("\(root)/layers/ingest").count == 1)
      try await LayerDirectories(root: root).sweep()
      #expect(try Files.list("\(root)/layers/ingest") == [])
    }
  }

  @Test func aRemovedLayerIsGone() async throws {
    try await withScratch { root in
      let store = try LayerDirectories(root: root)
      let layer = try await PackedLayer(entries)
      let id = try await store.add([layer])[0]
      try await store.remove(id)
      try await store.remove(id)
      #expect(store.find(layer.description.diffID, chainID: layer.description.diffID) == nil)
      #expect(try Files.list("\(root)/layers") == ["ingest"])
      let fault = await #expect(throws: Fault.self) { try await store.verify(id) }
      #expect(fault?.code == .notFound)
    }
  }

  @Test func aLayerAboveWhatIsNotThereIsRefused() async throws {
    try await withScratch { root in
      let store = try LayerDirectories(root: root)
      let applied = try await store.apply(try await PackedLayer([.file("etc/x", "x")]))
      let fault = await #expect(throws: Fault.self) { try await store.commit(applied, above: [LayerID(Digest.sha256(of: [9]))]) }
      #expect(fault?.code == .failedPrecondition)
      #expect(try Files.list("\(root)/layers/ingest") == [])
    }
  }

  @Test func filesOfTheMergedViewAreReadWithoutAMount() async throws {
    try await withScratch { root in
      let store = try LayerDirectories(root: root)
      let ids = try await store.add([
        try await PackedLayer([
          .directory("etc"), .file("etc/passwd", "root"), .file("etc/gone", "x"), .directory("old"), .file("old/file", "x"),
          .symlink("abs", "/etc"), .symlink("etc/up", "../../../etc/passwd"), .symlink("loop", "loop"), .fifo("pipe"),
        ]),
        try await PackedLayer([.file("etc/passwd", "second"), .whiteout("etc/gone"), .directory("old"), .opaque("old")]),
      ])
      func read(_ path: String, limit: Int = 100) throws -> String? {
        try store.readFile(path, in: ids, limit: limit).map { String(decoding: $0, as: UTF8.self) }
      }
      #expect(try read("/etc/passwd") == "second")
      #expect(try store.readFile("etc/passwd", in: [ids[0]], limit: 100) == Array("root".utf8))
      #expect(try read("abs/passwd") == "second")
      #expect(try read("/abs/up") == "second")
      #expect(try read("/../../etc/./passwd") == "second")
      for path in ["etc/gone", "old/file", "none", "etc", "pipe", "etc/passwd/x", "/"] { #expect(try read(path) == nil, "\(path)") }
      #expect(throws: Fault.self) { try read("loop") }
      let fault = #expect(throws: Fault.self) { try read("etc/passwd", limit: 5) }
      #expect(fault?.code == .resourceExhausted)
    }
  }

  @Test func pathsOfTheMergedViewAreFollowedToWhereTheyEnd() async throws {
    try await withScratch { root in
      let store = try LayerDirectories(root: root)
      let ids = try await store.add([
        try await PackedLayer([
          .directory("etc"), .file("etc/passwd", "root"), .file("etc/gone", "x"), .symlink("abs", "/etc"), .symlink("out", "../../x"),
          .symlink("loop", "loop"), .fifo("pipe"),
        ]),
        try await PackedLayer([.whiteout("etc/gone")]),
      ])
      let cases: [(String, String, ImagePlace.Kind)] = [
        ("/", "/", .directory), ("/etc/", "/etc", .directory), ("/abs", "/etc", .directory), ("/abs/passwd", "/etc/passwd", .file),
        ("/etc/passwd/x/y", "/etc/passwd", .obstructed), ("/abs/passwd/..", "/etc/passwd", .obstructed), ("/pipe", "/pipe", .other),
        ("/etc/gone", "/etc/gone", .absent), ("/abs/new/deep", "/etc/new/deep", .absent), ("/out/y", "/x/y", .absent),
        ("/../etc", "/etc", .directory),
      ]
      for (path, place, kind) in cases { #expect(try store.places([path], in: ids) == [ImagePlace(place, kind)], "\(path)") }
      let fault = #expect(throws: Fault.self) { try store.places(["/loop/x"], in: ids) }
      #expect(fault?.code == .invalidArgument && fault?.message.contains("/loop/x") == true)
    }
  }

  /// Members of gzip, cut into pieces of every size: what one call of the library left has to reach the next.
  @Test(arguments: [1, 2, 3, 7, 100, 4096]) func gzipOfSeveralMembersIsReadToItsEnd(_ piece: Int) async throws {
    try await withScratch { root in
      let tar = Tar([.file("one", String(repeating: "1", count: 3000)), .file("two", "2"), .directory("d")]).bytes
      var blob: [UInt8] = []
      for start in stride(from: 0, to: tar.count, by: 700) {
        blob += try await Packing.gzip.pack(Array(tar[start..<min(start + 700, tar.count)]))
      }
      blob += [0, 0, 0]
      let store = try LayerDirectories(root: root)
      let applied = try await store.apply(PackedLayer(tar: tar, blob: blob), piece: piece)
      let info = try await store.commit(applied, above: [])
      #expect(info.usage == DiskUsage(bytes: 3001, inodes: 4))
    }
  }

  @Test func aSparseFileStaysSparse() async throws {
    try await withScratch { root in
      try Files.makeDirectories("\(root)/in")
      let file = try FileHandle.create("\(root)/in/sparse")
      try [UInt8](repeating: 5, count: 4096).withUnsafeBytes { try file.write($0, at: 8 << 20) }
      try file.truncate(to: 32 << 20)
      let packed = try await Command.run(
        "/usr/bin/tar", ["--sparse", "--format=pax", "-cf", "-", "sparse"], environment: [], directory: "\(root)/in", timeout: .seconds(30))
      #expect(packed.succeeded && packed.stdout.count < 1 << 20)
      let store = try LayerDirectories(root: root)
      let id = try await store.add([PackedLayer(tar: packed.stdout, blob: packed.stdout)])[0]
      #expect(try await store.verify(id) == [])
      let status = try Directory.open(LayerLayout.files(root, id)).status("sparse")
      #expect(status?.size == 32 << 20)
      #expect(status.map { $0.allocated < 1 << 20 } == true)
    }
  }
}
