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
      try Mounts.bind("/proc", to: outer + "/inner")
      #expect(try Mounts.isMountPoint(outer + "/inner"))
      try Mounts.unmountAll(below: scratch)
      #expect(try !Mounts.isMountPoint(outer))
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
      #expect(try Mounts.isMountPoint(scratch + "/pod2"))
      try Mounts.unmountAll(below: scratch)
    }
  }
}
