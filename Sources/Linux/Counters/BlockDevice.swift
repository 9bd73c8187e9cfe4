import CLinux

/// Names of block devices, and the filesystems on them.
package enum BlockDevice {
  /// `/dev/sda1`; the two numbers where the kernel has no such device (a filesystem without one, btrfs's own numbers).
  package static func name(_ device: DeviceNumber) -> String {
    let link = "/sys/dev/block/\(device.major):\(device.minor)"
    guard let target = try? Files.readLink(link), let name = target.split(separator: "/").last else {
      return "\(device.major):\(device.minor)"
    }
    return "/dev/" + name
  }
}

/// How much a filesystem can hold.
package struct FilesystemCapacity: Sendable, Hashable {
  package var device: String
  package var bytes: UInt64
  package var freeBytes: UInt64
  package var inodes: UInt64
  package var freeInodes: UInt64

  /// Of the filesystem that `path` is on.
  package static func read(_ path: String) throws(SystemError) -> FilesystemCapacity {
    var status = statfs()
    try check("statfs", path) { statfs(path, &status) }
    let device = DeviceNumber(try number(path))
    return FilesystemCapacity(
      device: BlockDevice.name(device), bytes: UInt64(status.f_blocks) * UInt64(status.f_bsize),
      freeBytes: UInt64(status.f_bfree) * UInt64(status.f_bsize), inodes: UInt64(status.f_files),
      freeInodes: UInt64(status.f_ffree))
  }

  /// Whether two paths are on one filesystem; true where one of them cannot be asked.
  package static func same(_ a: String, _ b: String) -> Bool {
    guard let first = try? number(a), let second = try? number(b) else { return true }
    return first == second
  }

  private static func number(_ path: String) throws(SystemError) -> UInt64 {
    var status = stat()
    try check("stat", path) { stat(path, &status) }
    return UInt64(status.st_dev)
  }
}

extension DeviceNumber {
  fileprivate init(_ number: UInt64) { self.init(major: clinux_major(number), minor: clinux_minor(number)) }
}
