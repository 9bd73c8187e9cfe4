import CLinux
import Linux
import Support
import Testing

/// The overlay mount of kernels that do not take layers one by one (before 6.8). Newer ones still know it.
@Suite struct OldOverlayTests {
  @Test(arguments: [(3, "plain"), (127, "many"), (3, "with:colon, comma")])
  func layersUpperAndOptionsAreMountedFromOnePageOfText(_ count: Int, _ name: String) async throws {
    try await withScratch("overlay") { scratch in
      let before = Leftovers(LeftoverScope(directories: [scratch]))
      let root = scratch + "/" + name
      let layers = try (0..<count).map { number in
        let layer = root + "/layers/\(String(repeating: "0", count: 64))\(number)/fs"
        try Files.makeDirectories(layer)
        try Files.write("\(number)", to: layer + "/file\(number)")
        try Files.write("\(number)", to: layer + "/highest")
        return layer
      }
      for name in ["upper", "work", "merged"] { try Files.makeDirectories(root + "/" + name) }
      #expect(mount(layers, at: root) == 0, "errno \(clinux_errno())")
      defer { try? Mounts.unmountIfMounted(root + "/merged") }
      #expect(try Files.list(root + "/merged").count == count + 1)
      #expect(try Files.read(root + "/merged/highest") == Array("0".utf8))
      try Files.write("new", to: root + "/merged/written")
      #expect(try Files.list(root + "/upper") == ["written"])
      let options = try #require(try MountInfo.read().first { $0.mountPoint == root + "/merged" }).superOptions
      #expect(options.contains { $0.hasSuffix("volatile") })
      try Mounts.unmountIfMounted(root + "/merged")
      Scratch.remove(root)
      let differences = await before.differences()
      #expect(differences == [])
    }
  }

  @Test func aLayerThatIsMissingIsSaidByItsIndex() throws {
    try withScratch("overlay") { scratch in
      for name in ["a:", "upper", "work", "merged"] { try Files.makeDirectories(scratch + "/" + name) }
      var index: Int32 = -1
      #expect(mount([scratch + "/a:", scratch + "/missing"], at: scratch, &index) == -1)
      #expect(clinux_errno() == ENOENT && index == 1)
    }
  }

  private func mount(_ layers: [String], at root: String) -> Int32 {
    var index: Int32 = -1
    return mount(layers, at: root, &index)
  }

  private func mount(_ layers: [String], at root: String, _ index: inout Int32) -> Int32 {
    let words = (layers + [root + "/upper", root + "/work", root + "/merged", "volatile"]).map { strdup($0) }
    defer { for word in words { free(word) } }
    let pointers = words.map { UnsafePointer<CChar>($0) }
    return pointers.withUnsafeBufferPointer { all in
      let rest = all.baseAddress! + layers.count
      var overlay = shim_overlay(
        lower: all.baseAddress, lower_count: UInt32(layers.count), upper: rest[0], work: rest[1], options: rest + 3, option_count: 1,
        target: rest[2])
      return shim_mount_overlay_plain(&overlay, &index)
    }
  }
}
