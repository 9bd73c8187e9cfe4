import Core
import Linux
import OCI
import Snapshots
import Support
import Testing

@Suite(.serialized) struct SnapshotLimitTests {
  private static let limit: Int64 = 32 << 20

  /// In both ways, on whatever holds the root; by quotas where the kernel has them.
  private func inEachWay(_ body: (String, OverlaySnapshots) async throws -> Void) async throws {
    try await withScratch { try await body($0, try OverlaySnapshots(root: $0, limits: .block)) }
    for kind in QuotaFilesystem.allCases { try await withQuotas(kind, body) }
  }

  private func withQuotas(_ kind: QuotaFilesystem, _ body: (String, OverlaySnapshots) async throws -> Void) async throws {
    try await withScratch { root in
      let found = try await withProjectQuotas(kind, at: root) {
        try await body(root, try OverlaySnapshots(root: root, limits: .quota))
        try await body(root, try OverlaySnapshots(root: root))
        #expect(try Files.list(root + "/snapshots") == [".removed"], "with quotas there are no blocks")
      }
      if !found { #expect(try OverlaySnapshots(root: root, limits: .quota).limitProblem?.contains("keeps no project quotas") == true) }
    }
  }

  private func layer(_ root: String) throws -> LayerID {
    let id = LayerID(Digest.sha256(of: [7]))
    try Files.makeDirectories(LayerLayout.files(root, id), mode: 0o755)
    try Files.write("low", to: LayerLayout.files(root, id) + "/low", mode: 0o644)
    return id
  }

  /// Bytes that fit into a new file, and what the first that did not got.
  private func fill(_ path: String) throws -> (written: Int64, error: SystemError?) {
    let file = try FileHandle.create(path)
    let piece = [UInt8](repeating: 1, count: 64 << 10)
    var offset: Int64 = 0
    while offset < 4 * Self.limit {
      do { try piece.withUnsafeBytes { try file.write($0, at: offset) } } catch let error as SystemError { return (offset, error) }
      offset += Int64(piece.count)
    }
    return (offset, nil)
  }

  /// As du(1) counts it; on disk, where no block is only promised any more.
  private func expectUsage(_ snapshots: OverlaySnapshots, _ key: String, _ paths: String...) async throws {
    try FileHandle.open(paths[0]).syncFilesystem()
    let walked = try paths.map { try TreeUsage.walk($0) }.map { DiskUsage(bytes: $0.bytes, inodes: $0.inodes) }
    #expect(try await snapshots.usage(key) == walked.reduce(DiskUsage(), +))
  }

  private func expectNothing(below root: String) throws {
    #expect(try MountInfo.read().filter { $0.mountPoint.hasPrefix(root + "/") }.map(\.mountPoint) == [])
    #expect(try loopDevices(below: root) == [])
    for name in try Files.list(root + "/snapshots") where name != ".blank" { #expect(try Files.list(root + "/snapshots/" + name) == []) }
  }

  @Test func `who writes too much is refused, shows its size, and disturbs nobody`() async throws {
    try await inEachWay { root, snapshots in
      let layers = [try layer(root)]
      let full = try await snapshots.prepare("full", above: layers, limit: Self.limit)
      let other = try await snapshots.prepare("other", above: layers, limit: Self.limit)
      let free = try await snapshots.prepare("free", above: layers)
      try await withOverlay(full, at: root + "/a") {
        try await withOverlay(other, at: root + "/b") {
          let shown = try FilesystemCapacity.read(root + "/a")
          #expect((Self.limit...Self.limit + Self.limit / 50).contains(Int64(shown.bytes)), "\(shown.bytes)")
          let (written, error) = try fill(root + "/a/file")
          #expect(error?.isFull == true && written > Self.limit * 9 / 10 && written <= Self.limit + Self.limit / 50, "\(written)")
          #expect(throws: SystemError.self) { try Files.write([UInt8](repeating: 1, count: 1 << 20), to: root + "/a/low", create: false) }
          try Files.write([UInt8](repeating: 1, count: 1 << 20), to: root + "/b/file")
          try Files.write([UInt8](repeating: 1, count: 1 << 20), to: root + "/snapshots/free/fs/file")
          try await expectUsage(snapshots, "full", full.upper!)
          try await expectUsage(snapshots, "other", other.upper!)
          try await expectUsage(snapshots, "free", free.upper!)
          try Files.remove(root + "/a/file")
          try Files.write("room again", to: root + "/a/again")
        }
      }
      try Files.makeDirectories(root + "/snapshots/full/volumes/0")
      // What VOLUMEs hold counts, too; but without overlay between, quotas of ext4 hold nobody who has CAP_SYS_RESOURCE.
      let isXFS = try MountInfo.read().contains { $0.mountPoint == root && $0.type == "xfs" }
      let isEnforced = isXFS || Files.exists(root + "/snapshots/.blocks")
      let volume = try fill(root + "/snapshots/full/volumes/0/file")
      #expect((volume.error?.isFull == true) == isEnforced, "\(volume)")
      try await expectUsage(snapshots, "full", full.upper!, root + "/snapshots/full/volumes")
      for key in ["full", "other", "free"] { try await snapshots.remove(key) }
      try expectNothing(below: root)
    }
  }

  @Test func `a later daemon finds what is limited, whatever it would do itself`() async throws {
    try await inEachWay { root, snapshots in
      let mount = try await snapshots.prepare("one", above: [], limit: Self.limit)
      try Files.write("kept", to: mount.upper! + "/file")
      for method in LimitMethod.allCases {
        let later = try OverlaySnapshots(root: root, limits: method)
        #expect(try later.list() == ["one"])
        #expect(try later.mount("one", above: []) == mount)
        try await expectUsage(later, "one", mount.upper!)
        let fault = await #expect(throws: Fault.self) { try await later.prepare("one", above: [], limit: Self.limit) }
        #expect(fault?.code == .alreadyExists)
      }
      #expect(try Files.list(mount.upper!) == ["file"])
      let last = try OverlaySnapshots(root: root, limits: .block)
      try await last.remove("one")
      try await last.remove("one")
      #expect(try last.list() == [])
      try expectNothing(below: root)
    }
  }

  @Test func `a file of a killed daemon's, not mounted yet or no more, is a snapshot to be removed`() async throws {
    try await withScratch { root in
      let snapshots = try OverlaySnapshots(root: root, limits: .block)
      _ = try await snapshots.prepare("unmounted", above: [], limit: Self.limit)
      try Mounts.unmountIfMounted(root + "/snapshots/unmounted")
      try Files.write("", to: root + "/snapshots/.blocks/alone")
      #expect(try snapshots.list() == ["alone", "unmounted"])
      #expect(throws: Fault.self) { try snapshots.mount("unmounted", above: []) }
      await #expect(throws: Fault.self) { try await snapshots.usage("unmounted") }
      for key in ["alone", "unmounted"] { try await snapshots.remove(key) }
      try expectNothing(below: root)
    }
  }

  @Test func `room on the disk comes back when a container deletes, and when it goes though somebody else has it mounted`() async throws {
    try await withScratch { root in
      let snapshots = try OverlaySnapshots(root: root, limits: .block)
      let mount = try await snapshots.prepare("one", above: [], limit: Self.limit)
      let image = try FileHandle.open(root + "/snapshots/.blocks/one")
      #expect(try image.status().allocated < 1 << 20)
      let file = mount.upper! + "/file"
      try Files.write([UInt8](repeating: 1, count: 8 << 20), to: file)
      try Files.sync(file)
      #expect(try image.status().allocated > 8 << 20)
      #expect(snapshots.overhead("one").bytes < 1 << 20)
      try Files.remove(file)
      #expect(try image.status().allocated < 2 << 20)
      try Files.write([UInt8](repeating: 1, count: 8 << 20), to: file)
      try Files.sync(file)
      let held = try FileHandle.open(file)
      try await snapshots.remove("one")
      #expect(try image.status().allocated == 0 && snapshots.list() == [])
      #expect(try loopDevices(below: root).count == 1)
      _ = consume held
      try expectNothing(below: root)
    }
  }

  @Test func `many at once, each of a size of its own`() async throws {
    try await withScratch { root in
      let snapshots = try OverlaySnapshots(root: root, limits: .block)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<40 {
          group.addTask { _ = try await snapshots.prepare("s\(number)", above: [], limit: Self.limit + Int64(number) << 20) }
        }
        try await group.waitForAll()
      }
      #expect(try Files.list(root + "/snapshots/.blank").count <= 40)
      #expect(try loopDevices(below: root).count == 40)
      for number in 0..<40 { try await snapshots.remove("s\(number)") }
      try expectNothing(below: root)
    }
  }

  @Test func `copies of images cannot be limited`() async throws {
    try await withScratch { root in
      let native = NativeSnapshots(root: root, base: try OverlaySnapshots(root: root))
      let fault = await #expect(throws: Fault.self) { try await native.prepare("one", above: [], limit: Self.limit) }
      #expect(fault?.code == .failedPrecondition && fault?.message.hasPrefix("snapshot one: its size cannot be limited") == true)
      #expect(try native.list() == [])
    }
  }
}

extension SystemError {
  /// ENOSPC, or EDQUOT.
  fileprivate var isFull: Bool { [28, 122].contains(number) }
}
