import CLinux

/// Mounting and unmounting on paths that Berth owns.
package enum Mounts {
  /// MS_* of mount(2).
  package struct Flags: OptionSet, Sendable {
    package let rawValue: UInt
    package init(rawValue: UInt) { self.rawValue = rawValue }

    package static let readOnly = Flags(rawValue: UInt(MS_RDONLY))
    package static let noSUID = Flags(rawValue: UInt(MS_NOSUID))
    package static let noDevices = Flags(rawValue: UInt(MS_NODEV))
    package static let noExec = Flags(rawValue: UInt(MS_NOEXEC))
    package static let recursive = Flags(rawValue: UInt(MS_REC))
    package static let isPrivate = Flags(rawValue: UInt(MS_PRIVATE))
  }

  package static func mount(_ source: String, on target: String, type: String, flags: Flags = [], data: String = "") throws(SystemError) {
    try check("mount", target) { CLinux.mount(source, target, type, flags.rawValue, data) }
  }

  /// Takes away every mount stacked at `path`, busy ones too (MNT_DETACH). Nothing mounted there, or nothing there at all, is no error.
  package static func unmountIfMounted(_ path: String) throws(SystemError) {
    while umount2(path, Int32(MNT_DETACH) | Int32(UMOUNT_NOFOLLOW)) == 0 {}
    let number = clinux_errno()
    if number != EINVAL && number != ENOENT && number != ENOTDIR { throw SystemError(number, call: "umount", object: path) }
  }

  /// Detaches everything mounted at `path` or below it, the last and deepest first. Goes on after a failure and throws the first one.
  package static func unmountAll(below path: String) throws(SystemError) {
    var failure: SystemError?
    for mount in try MountInfo.read().reversed() where mount.mountPoint == path || mount.mountPoint.hasPrefix(path + "/") {
      do throws(SystemError) { try unmountIfMounted(mount.mountPoint) } catch { failure = failure ?? error }
    }
    if let failure { throw failure }
  }
}
