import Core
import Linux
import OCI
import Snapshots
import Support
import Testing

@Suite struct OverlaySnapshotsTests {
  /// Layers as the layer store leaves them, made by hand.
  private func layer(_ root: String, _ name: String, mode: UInt16? = nil) throws -> LayerID {
    let id = LayerID(Digest.sha256(of: Array(name.utf8)))
    try Files.makeDirectories(LayerLayout.files(root, id), mode: 0o755)
    try Files.write(name, to: LayerLayout.files(root, id) + "/\(name)", mode: 0o644)
    if let mode {
      let parent = try Directory.open(LayerLayout.directory(root, id))
      try parent.setOwner("fs", 11, 12)
      try parent.setMode("fs", mode)
      try Files.write("", to: LayerLayout.rootMarker(root, id))
    }
    return id
  }

  @Test func aSnapshotIsMountedWritableAboveItsLayers() async throws {
    try await withScratch { root in
      let snapshots = try OverlaySnapshots(root: root)
      let layers = [try layer(root, "low"), try layer(root, "high")]
      let mount = try await snapshots.prepare("one", above: layers)
      #expect(mount.lower == layers.reversed().map { LayerLayout.files(root, $0) })
      #expect(mount.options.contains("volatile"))
      #expect(try snapshots.mount("one", above: layers) == mount)
      try await withOverlay(mount, at: "\(root)/merged") {
        #expect(try Files.list("\(root)/merged") == ["high", "low"])
        try Files.write("new", to: "\(root)/merged/new")
        try Files.remove("\(root)/merged/low")
      }
      let usage = try await snapshots.usage("one")
      let du = try await Command.run("/usr/bin/du", ["-s", "--block-size=1", "\(root)/snapshots/one/fs"], timeout: .seconds(10))
      #expect(String(decoding: du.stdout, as: UTF8.self).hasPrefix("\(usage.bytes)\t"))
      #expect(usage.inodes == 3)
      #expect(try snapshots.list() == ["one"])
      try await snapshots.remove("one")
      try await snapshots.remove("one")
      #expect(try snapshots.list() == [])
      #expect(try Files.list("\(root)/snapshots/.removed") == [])
    }
  }

  @Test func whatAKilledDaemonWasRemovingIsRemovedByTheNextOne() async throws {
    try await withScratch { root in
      try Files.makeDirectories("\(root)/snapshots/.removed/one.abc/fs/inner")
      let snapshots = try OverlaySnapshots(root: root)
      let deadline = ContinuousClock.now + .seconds(20)
      while try !Files.list("\(root)/snapshots/.removed").isEmpty, ContinuousClock.now < deadline {
        try await Task.sleep(for: .milliseconds(10))
      }
      #expect(try Files.list("\(root)/snapshots/.removed") == [])
      #expect(try snapshots.list() == [])
    }
  }

  @Test func theRootTakesModeAndOwnerOfTheHighestLayerThatDescribesIt() async throws {
    try await withScratch { root in
      let snapshots = try OverlaySnapshots(root: root)
      let layers = [try layer(root, "a", mode: 0o700), try layer(root, "b", mode: 0o1711), try layer(root, "c")]
      _ = try await snapshots.prepare("described", above: layers)
      let described = try Directory.open("\(root)/snapshots/described/fs").status()
      #expect((described.mode, described.owner, described.group) == (0o1711, 11, 12))
      _ = try await snapshots.prepare("plain", above: [layers[2]])
      let plain = try Directory.open("\(root)/snapshots/plain/fs").status()
      #expect((plain.mode, plain.owner, plain.group) == (0o755, 0, 0))
    }
  }

  @Test func manyLayersFitIntoOneMount() async throws {
    try await withScratch { root in
      let snapshots = try OverlaySnapshots(root: root)
      let layers = try (0..<127).map { try layer(root, "layer\($0)") }
      let mount = try await snapshots.prepare("many", above: layers)
      try await withOverlay(mount, at: "\(root)/merged") {
        let names = try Files.list("\(root)/merged")
        #expect(names.count == 127)
      }
    }
  }

  @Test func aTakenNameIsRefusedAndLeftAsItIs() async throws {
    try await withScratch { root in
      let snapshots = try OverlaySnapshots(root: root)
      let mount = try await snapshots.prepare("one", above: [])
      try Files.write("kept", to: "\(mount.upper!)/file")
      let fault = await #expect(throws: Fault.self) { try await snapshots.prepare("one", above: []) }
      #expect(fault?.code == .alreadyExists)
      #expect(fault?.message == "snapshot one: it is there already")
      #expect(try Files.list(mount.upper!) == ["file"])
    }
  }

  @Test func removalFollowsNoSymlink() async throws {
    try await withScratch { root in
      let snapshots = try OverlaySnapshots(root: root)
      try Files.makeDirectories("\(root)/outside")
      try Files.write("kept", to: "\(root)/outside/file")
      let upper = try Directory.open(try await snapshots.prepare("one", above: []).upper!)
      try upper.makeSymlink("link", to: RawName("\(root)/outside"))
      try upper.makeDirectory("locked", mode: 0)
      try await snapshots.remove("one")
      #expect(try Files.list("\(root)/outside") == ["file"])
      #expect(try Files.list("\(root)/snapshots") == [".removed"])
    }
  }

  @Test func aTreeThatIsDeeperThanAnyPathIsRemoved() async throws {
    try await withScratch { root in
      let snapshots = try OverlaySnapshots(root: root)
      let upper = try await snapshots.prepare("deep", above: []).upper!
      try nest(try Directory.open(upper), 2000)
      #expect(try await snapshots.usage("deep").inodes > 100)
      try await snapshots.remove("deep")
      #expect(try Files.list("\(root)/snapshots/.removed") == [])
    }
  }

  /// By turns at the top and inside: a path of that depth could not be named.
  private func nest(_ directory: borrowing Directory, _ depth: Int) throws {
    try directory.makeDirectory("d")
    for _ in 1..<depth {
      try directory.makeDirectory("outer")
      try directory.rename("d", into: directory.directory("outer"), as: "d")
      try directory.rename("outer", into: directory, as: "d")
    }
  }

  @Test func aMissingSnapshotIsNotFound() async throws {
    try await withScratch { root in
      let snapshots = try OverlaySnapshots(root: root)
      let fault = #expect(throws: Fault.self) { try snapshots.mount("none", above: []) }
      #expect(fault?.code == .notFound)
      let usage = await #expect(throws: Fault.self) { try await snapshots.usage("none") }
      #expect(usage?.code == .notFound)
    }
  }

  @Test func namesThatAreNoNamesAreRefused() async throws {
    try await withScratch { root in
      let snapshots = try OverlaySnapshots(root: root)
      for key in ["", ".", "..", "a/b", ".removed", "a\u{0}b", String(repeating: "k", count: 201)] {
        let fault = await #expect(throws: Fault.self) { try await snapshots.prepare(key, above: []) }
        #expect(fault?.code == .invalidArgument)
      }
      #expect(try snapshots.list() == [])
    }
  }
}
