import CLinux

/// An exclusive flock(2) on a file, held until it goes out of scope or the process ends.
package struct FileLock: ~Copyable, Sendable {
  private let file: FileHandle

  /// Nil if another process (or another lock of this one) holds it.
  package static func tryLock(_ path: String) throws(SystemError) -> FileLock? {
    let file = try open(path)
    do {
      try check("flock", path) { flock(file.raw, LOCK_EX | LOCK_NB) }
    } catch {
      guard error.is(EWOULDBLOCK) else { throw error }
      return nil
    }
    return FileLock(file: file)
  }

  /// A filesystem that takes no writes still has the file of an earlier start, which can be locked as well.
  private static func open(_ path: String) throws(SystemError) -> FileHandle {
    do throws(SystemError) { return try FileHandle.open(path, O_RDWR | O_CREAT, mode: 0o644) } catch {
      guard error.is(EROFS) else { throw error }
      return try FileHandle.open(path, O_RDONLY)
    }
  }

  /// Replaces what the lock file says, for whoever finds it locked.
  package func write(_ text: String, _ path: String) throws(SystemError) {
    try check("ftruncate", path) { ftruncate(file.raw, 0) }
    try Files.write(Array(text.utf8), to: file.raw, path)
  }

  package static var processID: Int32 { getpid() }
}
