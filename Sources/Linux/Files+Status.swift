import CLinux

extension Files {
  /// A regular file that this process may execute.
  package static func isExecutable(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && clinux_file_type(status.st_mode) == 0o100000 && access(path, X_OK) == 0
  }

  package static func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && clinux_file_type(status.st_mode) == 0o040000
  }

  /// What changes when a file is replaced or rewritten.
  package struct Version: Hashable, Sendable {
    let device: UInt64
    let inode: UInt64
    package let size: Int64
    let seconds: Int
    let nanoseconds: Int
  }

  /// `nil` where there is no such file.
  package static func version(_ path: String) -> Version? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    return Version(
      device: UInt64(status.st_dev), inode: UInt64(status.st_ino), size: Int64(status.st_size), seconds: status.st_ctim.tv_sec,
      nanoseconds: status.st_ctim.tv_nsec)
  }
}
