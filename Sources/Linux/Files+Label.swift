import CLinux

extension Files {
  /// A file's SELinux label (selinux(8)), of a symlink itself.
  package static func setLabel(_ path: String, _ label: String) throws(SystemError) {
    try check("lsetxattr security.selinux", path) { lsetxattr(path, "security.selinux", label, label.utf8.count + 1, 0) }
  }
}
