import CLinux

/// A file descriptor with one owner: closed when it goes out of scope, never twice.
package struct FileHandle: ~Copyable, Sendable {
  /// Borrowed for calls; never closed by the borrower.
  package let raw: Int32

  package init(owning raw: Int32) { self.raw = raw }

  deinit { _ = close(raw) }

  /// Gives the descriptor away; the new owner closes it.
  package consuming func release() -> Int32 {
    let raw = raw
    discard self
    return raw
  }

  /// Opens `path` with O_CLOEXEC added, relative to `directory` (the current directory by default).
  package static func open(_ path: String, _ flags: Int32 = O_RDONLY, mode: UInt32 = 0o600, at directory: Int32 = AT_FDCWD)
    throws(SystemError) -> FileHandle
  {
    FileHandle(owning: try check("openat", path) { clinux_openat(directory, path, flags | O_CLOEXEC, mode) })
  }

  /// What is there already, emptied where it is a file.
  package static func forWriting(_ path: String) throws(SystemError) -> FileHandle { try open(path, O_WRONLY | O_TRUNC) }

  /// For logs: made where it is not there, every write goes to its end.
  package static func append(to path: String, mode: UInt32 = 0o600) throws(SystemError) -> FileHandle {
    try open(path, O_WRONLY | O_CREAT | O_APPEND, mode: mode)
  }
}
