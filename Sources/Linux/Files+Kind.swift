import CLinux

extension Files {
  /// A regular file, or a symlink to one.
  package static func isRegularFile(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && clinux_file_type(status.st_mode) == 0o100000
  }

  /// A namespace held by a bind mount or by /proc; false for the empty file that a lost bind mount leaves behind.
  package static func isNamespace(_ path: String) -> Bool { clinux_is_namespace(path) == 1 }
}
