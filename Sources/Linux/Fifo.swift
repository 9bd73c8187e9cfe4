import CLinux

/// Named pipes. No end here waits, neither to be opened nor to be read or written.
package enum Fifo {
  /// EEXIST where `path` is taken. With an SELinux label processes that are confined may use it.
  package static func make(_ path: String, mode: UInt32 = 0o600, label: String? = nil) throws(SystemError) {
    try check("mkfifo", path) { mkfifo(path, mode) }
    if let label { try Files.setLabel(path, label) }
  }

  /// Reads nothing (an end of file, but no hang-up) until the first writer has come.
  package static func reader(_ path: String) throws(SystemError) -> FileHandle { try .open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW) }

  /// ENXIO while nobody reads.
  package static func writer(_ path: String) throws(SystemError) -> FileHandle { try .open(path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW) }

  /// Both ends in one, so that there is a reader and a writer whoever comes first.
  package static func both(_ path: String) throws(SystemError) -> FileHandle { try .open(path, O_RDWR | O_NONBLOCK | O_NOFOLLOW) }
}

extension FileHandle {
  /// Room in a pipe, in bytes. Only a wish: the kernel may refuse.
  package func wishPipeSize(_ bytes: Int32) { _ = clinux_fcntl_int(raw, F_SETPIPE_SZ, bytes) }

  package func duplicate() throws(SystemError) -> FileHandle {
    FileHandle(owning: try check("fcntl", "duplicate") { clinux_fcntl_int(raw, F_DUPFD_CLOEXEC, 0) })
  }

  /// The writing end of a pipe that nobody reads: every write fails with EPIPE.
  package static func unread() throws(SystemError) -> FileHandle {
    var ends: (Int32, Int32) = (-1, -1)
    try check("pipe2") {
      withUnsafeMutableBytes(of: &ends) { pipe2($0.assumingMemoryBound(to: Int32.self).baseAddress, O_CLOEXEC | O_NONBLOCK) }
    }
    _ = FileHandle(owning: ends.0)
    return FileHandle(owning: ends.1)
  }
}
