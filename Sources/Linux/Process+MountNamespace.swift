import CLinux

extension Process {
  /// Starts this program anew in the mount namespace that `path` holds, with the same process ID, arguments and environment. Returns where it is in that
  /// namespace already.
  package static func restart(inMountNamespace path: String) throws(SystemError) {
    try check("joining the mount namespace", path) { clinux_restart_in_mount_namespace(path, CommandLine.unsafeArgv) }
  }
}
