import CLinux

/// A directory whose inside may be hostile: everything below it is reached by descriptors, and the kernel itself (openat2) refuses
/// to leave it or to follow any symlink on the way.
package struct ConfinedRoot: ~Copyable, Sendable {
  package let handle: FileHandle

  package init(_ handle: consuming FileHandle) { self.handle = handle }

  package init(path: String) throws(SystemError) {
    handle = try FileHandle.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
  }

  /// Opens the directory at `path` (relative, without symlinks and `..`; empty for the root itself).
  package func directory(_ path: RawName) throws(SystemError) -> Directory {
    Directory(try open(path, O_RDONLY | O_DIRECTORY))
  }

  /// Opens what is at `path` for reading. ELOOP where a symlink is on the way or at the end.
  package func file(_ path: RawName) throws(SystemError) -> FileHandle { try open(path, O_RDONLY | O_NONBLOCK) }

  private func open(_ path: RawName, _ flags: Int32) throws(SystemError) -> FileHandle {
    let path = path.bytes.isEmpty ? RawName(".") : path
    let resolve = clinux_resolve_beneath() | clinux_resolve_no_symlinks() | clinux_resolve_no_magiclinks()
    let raw = try check("openat2", path.description) {
      path.withCString { clinux_openat2(handle.raw, $0, UInt64(flags | O_CLOEXEC), 0, resolve) }
    }
    return FileHandle(owning: raw)
  }
}
