import Linux
import Support
import Testing

@Suite struct MountsTests {
  @Test func aLineWithOptionalFieldsAndEscapesIsRead() throws {
    let line = #"36 35 98:0 /sub\040dir /mnt/a\134b\011c rw,noatime shared:1 master:2 - ext3 /dev/my\040root rw,errors=continue"#
    let mount = try #require(MountInfo(line: line[...]))
    #expect(mount.id == 36)
    #expect(mount.parent == 35)
    #expect(mount.root == "/sub dir")
    #expect(mount.mountPoint == "/mnt/a\\b\tc")
    #expect(mount.options == ["rw", "noatime"])
    #expect(mount.propagation == ["shared:1", "master:2"])
    #expect(mount.type == "ext3")
    #expect(mount.source == "/dev/my root")
    #expect(mount.superOptions == ["rw", "errors=continue"])
  }

  @Test(arguments: ["", "36 35", "36 35 98:0 / /mnt rw shared:1 ext3 /dev/root rw", "x 35 98:0 / /mnt rw - ext3 /dev/root rw"])
  func aLineThatIsNoneIsNothing(_ line: String) { #expect(MountInfo(line: line[...]) == nil) }

  @Test func stackedAndNestedMountsAllGo() async throws {
    try await withScratch("mounts") { scratch in
      let before = Leftovers(LeftoverScope(directories: [scratch]))
      let outer = scratch + "/out er"
      try Files.makeDirectories(outer)
      for _ in 0..<3 { try Mounts.mount("tmpfs", on: outer, type: "tmpfs", flags: [.noSUID, .noDevices], data: "size=1m") }
      try Files.makeDirectories(outer + "/inner")
      try Mounting.bind("/proc", to: outer + "/inner")
      #expect(try Mounting.isMountPoint(outer + "/inner"))
      try Mounts.unmountAll(below: scratch)
      #expect(try !Mounting.isMountPoint(outer))
      try Mounts.unmountIfMounted(outer)
      try Mounts.unmountIfMounted(scratch + "/never/there")
      Scratch.remove(outer)
      let differences = await before.differences()
      #expect(differences == [])
    }
  }

  @Test func aNeighbourWithTheSameBeginningIsLeftAlone() throws {
    try withScratch("mounts") { scratch in
      for name in ["pod", "pod2"] {
        try Files.makeDirectories("\(scratch)/\(name)")
        try Mounts.mount("tmpfs", on: "\(scratch)/\(name)", type: "tmpfs", data: "size=1m")
      }
      try Mounts.unmountAll(below: scratch + "/pod")
      #expect(try Mounting.isMountPoint(scratch + "/pod2"))
      try Mounts.unmountAll(below: scratch)
    }
  }

  @Test func nothingOfWhatIsMountedInATreeIsRemovedWithIt() throws {
    try withScratch("mounts") { scratch in
      let (volume, inside) = (scratch + "/volume", scratch + "/bundle/rootfs/data")
      for path in [volume, inside] { try Files.makeDirectories(path) }
      try Files.write("precious", to: volume + "/file")
      try Mounting.bind(volume, to: inside)
      defer { try? Mounts.unmountAll(below: scratch) }
      let error = #expect(throws: SystemError.self) { try Files.removeTree(scratch + "/bundle") }
      #expect(error?.description == "openat2 \(inside): Invalid cross-device link")
      #expect(try Files.list(volume) == ["file"])
      try Mounts.unmountIfMounted(inside)
      try Files.removeTree(scratch + "/bundle")
      #expect(try Files.list(scratch) == ["volume"])
    }
  }
}
