import CLinux

/// How much a filesystem can hold.
package struct FilesystemCapacity: Sendable, Hashable {
  /// ``BlockDevice/name(_:mount:sysfs:)``.
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
    // Major 0 is of those without a block device: only they need a look at all mounts.
    let mount = device.major == 0 ? try MountInfo.holding(path) : nil
    return FilesystemCapacity(
      device: BlockDevice.name(device, mount: mount), bytes: UInt64(status.f_blocks) * UInt64(status.f_bsize),
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
