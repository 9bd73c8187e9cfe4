import CLinux

/// Which file a path or descriptor leads to, and how long it is.
package struct FileIdentity: Equatable, Sendable {
  package let device: UInt64
  package let inode: UInt64
  /// Bytes.
  package let size: Int
  /// Of the last write, in nanoseconds since 1970.
  package let modified: Int64

  fileprivate init(_ status: stat) {
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
    size = Int(status.st_size)
    modified = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
  }

  /// The same file, whatever its size.
  package func isSameFile(as other: FileIdentity) -> Bool { device == other.device && inode == other.inode }

  /// Follows symbolic links. ENOENT where nothing is.
  package static func of(path: String) throws(SystemError) -> FileIdentity {
    var status = CLinux.stat()
    try check("stat", path) { stat(path, &status) }
    return FileIdentity(status)
  }
}

extension FileHandle {
  /// The open file's identity.
  package func identity(_ path: String) throws(SystemError) -> FileIdentity {
    var status = CLinux.stat()
    try check("fstat", path) { fstat(raw, &status) }
    return FileIdentity(status)
  }

  /// Up to `count` bytes from `offset`; empty at the end of the file.
  package func read(count: Int, at offset: Int, _ path: String) throws(SystemError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let got = try check("pread", path) { pread(raw, &bytes, count, off_t(offset)) }
    bytes.removeLast(count - got)
    return bytes
  }
}
