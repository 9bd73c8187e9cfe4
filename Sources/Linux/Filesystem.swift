import CLinux

/// What a path's filesystem is (statfs(2)).
package enum Filesystem {
  private static let tmpfsMagic = 0x0102_1994

  package static func isTmpfs(_ path: String) throws(SystemError) -> Bool {
    var status = statfs()
    try check("statfs", path) { statfs(path, &status) }
    return Int(status.f_type) == tmpfsMagic
  }
}
