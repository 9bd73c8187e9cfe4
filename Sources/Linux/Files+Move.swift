import CLinux

extension Files {
  /// rename(2): replaces `to`, atomically for readers.
  package static func move(_ from: String, to: String) throws(SystemError) {
    try check("rename", from) { CLinux.rename(from, to) }
  }

  /// Makes a file's content durable; its name is made so by ``syncDirectory(_:)``.
  package static func sync(_ path: String) throws(SystemError) {
    let file = try FileHandle.open(path)
    try check("fsync", path) { fsync(file.raw) }
  }

  /// rmdir(2): an empty directory; ENOENT is success.
  package static func removeDirectory(_ path: String) throws(SystemError) {
    do { try check("rmdir", path) { rmdir(path) } } catch { if !error.is(ENOENT) { throw error } }
  }
}
