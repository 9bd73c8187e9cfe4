import CLinux

/// Unix sockets by directory and name, so that no path is too long for an address.
package enum UnixSocket {
  /// EADDRINUSE where the name is taken.
  package static func listen(in directory: String, name: String, backlog: Int32 = 128) throws(SystemError) -> FileHandle {
    let folder = try FileHandle.open(directory, O_PATH | O_DIRECTORY)
    return FileHandle(owning: try check("listen", "\(directory)/\(name)") { clinux_unix_listen(folder.raw, name, backlog) })
  }

  /// ENOENT without a socket file, ECONNREFUSED where nobody listens, ETIMEDOUT where the listener's backlog stays full for so long.
  package static func connect(in directory: String, name: String, milliseconds: Int32 = 10_000) throws(SystemError) -> FileHandle {
    let folder = try FileHandle.open(directory, O_PATH | O_DIRECTORY)
    return FileHandle(owning: try check("connect", "\(directory)/\(name)") { clinux_unix_connect(folder.raw, name, milliseconds) })
  }

  /// Two connected ends.
  package static func pair() throws(SystemError) -> (Int32, Int32) {
    var ends: (Int32, Int32) = (-1, -1)
    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    try check("socketpair") {
      withUnsafeMutableBytes(of: &ends) { socketpair(AF_UNIX, type, 0, $0.assumingMemoryBound(to: Int32.self).baseAddress) }
    }
    return ends
  }
}
