import CLinux

extension Files {
  /// RENAME_EXCHANGE of renameat2(2): each of two names gets what the other had, at once. Both must exist.
  package static func exchange(_ first: String, _ second: String) throws(SystemError) {
    try check("renameat2", first) { clinux_renameat2(AT_FDCWD, first, AT_FDCWD, second, 1 << 1) }
  }
}
