import CLinux

/// A listening Unix socket's name in the filesystem, as this process made it.
package struct UnixSocketFile: Sendable, Hashable {
  package let path: String
  private let device: UInt64
  private let inode: UInt64

  /// Binds and listens at `path` with exactly the permissions `mode`, never wider ones in between. A socket nobody listens on any more is replaced;
  /// one that answers is EADDRINUSE, anything else there EEXIST. The caller owns the non-blocking descriptor.
  package static func listen(_ path: String, mode: UInt32, backlog: Int32 = 1024) throws(SystemError) -> (
    descriptor: Int32, file: UnixSocketFile
  ) {
    var address = try socketAddress(path)
    try removeStale(path, &address)
    let handle = try makeSocket(path)
    // The socket's own mode, less umask, is what its file is born with.
    try check("fchmod", path) { fchmod(handle.raw, mode) }
    try check("bind", path) { withPointer(&address) { bind(handle.raw, $0, $1) } }
    try check("chmod", path) { chmod(path, mode) }
    try check("listen", path) { CLinux.listen(handle.raw, backlog) }
    let status = try status(path)
    return (handle.release(), UnixSocketFile(path: path, device: UInt64(status.st_dev), inode: UInt64(status.st_ino)))
  }

  /// Removes the name unless somebody else has taken it meanwhile.
  package func remove() {
    guard let status = try? Self.status(path), status.st_dev == device, status.st_ino == inode else { return }
    _ = unlink(path)
  }

  private static func removeStale(_ path: String, _ address: inout sockaddr_un) throws(SystemError) {
    let found: stat
    do throws(SystemError) { found = try status(path) } catch {
      if error.is(ENOENT) { return }
      throw error
    }
    guard found.st_mode & 0o170000 == 0o140000 else { throw SystemError(EEXIST, call: "bind", object: path) }
    let probe = try makeSocket(path)
    do throws(SystemError) {
      try check("connect", path) { withPointer(&address) { connect(probe.raw, $0, $1) } }
      throw SystemError(EADDRINUSE, call: "bind", object: path)
    } catch {
      guard error.is(ECONNREFUSED) else { throw error.is(EAGAIN) ? SystemError(EADDRINUSE, call: "bind", object: path) : error }
    }
    try check("unlink", path) { unlink(path) }
  }

  private static func makeSocket(_ path: String) throws(SystemError) -> FileHandle {
    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    return FileHandle(owning: try check("socket", path) { socket(AF_UNIX, type, 0) })
  }

  private static func status(_ path: String) throws(SystemError) -> stat {
    var status = stat()
    try check("lstat", path) { lstat(path, &status) }
    return status
  }

  private static func socketAddress(_ path: String) throws(SystemError) -> sockaddr_un {
    var address = sockaddr_un()
    address.sun_family = UInt16(AF_UNIX)
    let fits = withUnsafeMutableBytes(of: &address.sun_path) { bytes in
      guard !path.isEmpty, path.utf8.count < bytes.count, !path.utf8.contains(0) else { return false }
      bytes.copyBytes(from: path.utf8)
      return true
    }
    guard fits else { throw SystemError(ENAMETOOLONG, call: "bind", object: path) }
    return address
  }

  private static func withPointer(_ address: inout sockaddr_un, _ body: (__CONST_SOCKADDR_ARG, socklen_t) -> Int32) -> Int32 {
    withUnsafePointer(to: &address) { body(__CONST_SOCKADDR_ARG(__sockaddr_un__: $0), socklen_t(MemoryLayout<sockaddr_un>.size)) }
  }
}
