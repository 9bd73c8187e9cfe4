import CLinux
import Linux
import Support
import Testing

/// What devices are called: by sysfs and mountinfo as other machines have them, and by this machine's.
@Suite struct BlockDeviceTests {
  /// A sysfs with these links below dev/block.
  private func recorded(_ links: [String: String], _ body: (String) throws -> Void) throws {
    try withScratch("sysfs") { scratch in
      try Files.makeDirectories(scratch + "/dev/block")
      for (name, target) in links { try check("symlink", name) { symlink(target, "\(scratch)/dev/block/\(name)") } }
      try body(scratch)
    }
  }

  @Test func `a device has the name that is in /dev, with directories where its driver has some`() throws {
    let links = [
      "8:1": "../../devices/pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block/sda/sda1",
      "259:2": "../../devices/pci0000:00/0000:00:1d.0/0000:03:00.0/nvme/nvme0/nvme0n1/nvme0n1p2",
      "104:1": "../../devices/pci0000:00/0000:00:03.0/0000:06:00.0/cciss0/c0d0/block/cciss!c0d0/cciss!c0d0p1",
      "254:3": "../../devices/virtual/block/dm-3",
    ]
    try recorded(links) { sysfs in
      func name(_ major: UInt32, _ minor: UInt32) -> String { BlockDevice.name(DeviceNumber(major: major, minor: minor), sysfs: sysfs) }
      #expect(name(8, 1) == "/dev/sda1" && name(259, 2) == "/dev/nvme0n1p2" && name(254, 3) == "/dev/dm-3")
      #expect(name(104, 1) == "/dev/cciss/c0d0p1")
      #expect(name(9, 9) == "9:9")
    }
  }

  @Test func `a filesystem without a block device has the source of its mount`() throws {
    let lines = [
      "overlay": "29 1 0:26 / / rw,relatime shared:1 - overlay overlay rw,lowerdir=/a:/b,upperdir=/c,workdir=/d",
      "/dev/nvme0n1p3": "61 1 0:33 /root / rw,relatime shared:1 - btrfs /dev/nvme0n1p3 rw,compress=zstd:1,ssd,subvol=/root",
      "nas:/export": "92 61 0:52 / /var/lib/berth rw,relatime shared:40 - nfs4 nas:/export rw,vers=4.2",
      "tank/berth": "77 61 0:61 / /var/lib/berth rw,noatime shared:41 - zfs tank/berth rw,xattr,noacl",
    ]
    try recorded(["8:1": "../../block/sda/sda1"]) { sysfs in
      for (source, line) in lines {
        let mount = try #require(MountInfo(line: line[...]))
        #expect(BlockDevice.name(DeviceNumber(major: 0, minor: 45), mount: mount, sysfs: sysfs) == source)
        // The device is the better answer where there is one: `/dev/root` is nowhere.
        #expect(BlockDevice.name(DeviceNumber(major: 8, minor: 1), mount: mount, sysfs: sysfs) == "/dev/sda1")
      }
      #expect(BlockDevice.name(DeviceNumber(major: 0, minor: 45), mount: nil, sysfs: sysfs) == "0:45")
    }
  }

  @Test func `the mount that a path is on is found through symlinks and under others`() async throws {
    try await withScratch("holding") { scratch in
      for name in ["lower", "upper", "work", "merged/below", "beside"] { try Files.makeDirectories("\(scratch)/\(name)") }
      try Mounts.mount(
        "overlay", on: scratch + "/merged", type: "overlay",
        data: "lowerdir=\(scratch)/lower,upperdir=\(scratch)/upper,workdir=\(scratch)/work")
      defer { try? Mounts.unmountAll(below: scratch) }
      try Files.makeDirectories(scratch + "/merged/small")
      try Mounts.mount("not-a-device", on: scratch + "/merged/small", type: "tmpfs", data: "size=1m")
      try check("symlink", scratch) { symlink(scratch + "/merged", scratch + "/link") }
      #expect(try FilesystemCapacity.read(scratch + "/link").device == "overlay")
      #expect(try FilesystemCapacity.read(scratch + "/link/small").device == "not-a-device")
      #expect(try MountInfo.holding(scratch + "/link/small/..")?.mountPoint == scratch + "/merged")
      let shown = try await Command.run("/usr/bin/df", ["--output=source", scratch + "/beside"], timeout: .seconds(10))
      let source = String(decoding: shown.stdout, as: UTF8.self).split(separator: "\n").last
      #expect(try MountInfo.holding(scratch + "/beside")?.source == source.map(String.init))
    }
  }
}
