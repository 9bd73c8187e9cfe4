import CLinux

extension MountInfo {
  /// The mount that `path` is on, symlinks followed; nil where this process does not see it any more.
  ///
  /// Found by the mount's ID (proc(5), "fdinfo"): a device number would not do, since btrfs tells another one of each of its subvolumes.
  package static func holding(_ path: String) throws(SystemError) -> MountInfo? {
    let place = try FileHandle.open(path, O_PATH)
    guard let id = try id(of: place) else { return nil }
    return try read().first { $0.id == id }
  }

  private static func id(of file: borrowing FileHandle) throws(SystemError) -> Int32? {
    let lines = String(decoding: try Files.read("/proc/self/fdinfo/\(file.raw)"), as: UTF8.self).split(separator: "\n")
    let value = lines.first { $0.hasPrefix("mnt_id:") }?.dropFirst("mnt_id:".count)
    return value.flatMap { Int32($0.filter(\.isNumber)) }
  }
}
