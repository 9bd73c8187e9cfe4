import CLinux
package import Linux

/// New terminals, for tests of programs that want one.
extension Terminal {
  /// The master side, non-blocking.
  package static func open() throws(SystemError) -> FileHandle {
    let master = FileHandle(owning: try check("posix_openpt") { posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK) })
    try check("grantpt") { grantpt(master.raw) }
    try check("unlockpt") { unlockpt(master.raw) }
    return master
  }

  /// The other side's.
  package static func path(of master: borrowing FileHandle) -> String { String(cString: ptsname(master.raw)) }

  package static func line(_ path: String) throws(SystemError) -> FileHandle { try .open(path, O_RDWR | O_NOCTTY) }

  /// What can be read without waiting.
  package static func available(_ file: borrowing FileHandle) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while case let count = read(file.raw, &chunk, chunk.count), count > 0 { bytes += chunk[..<count] }
    return bytes
  }
}
