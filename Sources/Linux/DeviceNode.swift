import CLinux

/// A device file, as stat(2) sees it.
package struct DeviceNode: Hashable, Sendable {
  package enum Kind: String, Sendable {
    case character = "c"
    case block = "b"
  }

  package var path: String
  package var kind: Kind
  package var major: UInt32
  package var minor: UInt32
  /// Permission bits.
  package var mode: UInt32
  package var uid: UInt32
  package var gid: UInt32

  package init(path: String, kind: Kind, major: UInt32, minor: UInt32, mode: UInt32 = 0o666, uid: UInt32 = 0, gid: UInt32 = 0) {
    self.path = path
    self.kind = kind
    self.major = major
    self.minor = minor
    self.mode = mode
    self.uid = uid
    self.gid = gid
  }

  /// The device at `path` (symlinks followed), or all devices below it where it is a directory. Not for paths outside /dev that may hang.
  /// ENODEV where it is something else.
  package static func all(at path: String) throws(SystemError) -> [DeviceNode] {
    var status = stat()
    try check("stat", path) { stat(path, &status) }
    if status.isDirectory { return try below(path) }
    guard let node = DeviceNode(path, status) else { throw SystemError(ENODEV, call: "stat", object: path) }
    return [node]
  }

  /// Devices of the host for a privileged container: all of /dev but what every container has of its own.
  package static func ofHost() throws(SystemError) -> [DeviceNode] {
    let own: Set = [
      "/dev/pts", "/dev/shm", "/dev/fd", "/dev/mqueue", "/dev/console", "/dev/ptmx", "/dev/.lxc", "/dev/.lxd-mounts", "/dev/.udev",
    ]
    return try below("/dev", without: own)
  }

  private static func below(_ directory: String, without excluded: Set<String> = []) throws(SystemError) -> [DeviceNode] {
    var nodes: [DeviceNode] = []
    for name in try Files.list(directory) {
      let path = directory + "/" + name
      var status = stat()
      // What went away meanwhile is no device of anyone.
      guard !excluded.contains(path), lstat(path, &status) == 0 else { continue }
      if status.isDirectory { nodes += try below(path, without: excluded) }
      if let node = DeviceNode(path, status) { nodes.append(node) }
    }
    return nodes
  }

  private init?(_ path: String, _ status: stat) {
    switch clinux_file_type(status.st_mode) {
    case 0o020000: kind = .character
    case 0o060000: kind = .block
    default: return nil
    }
    self.path = path
    major = clinux_major(UInt64(status.st_rdev))
    minor = clinux_minor(UInt64(status.st_rdev))
    mode = status.st_mode & 0o7777
    uid = status.st_uid
    gid = status.st_gid
  }
}

extension stat {
  fileprivate var isDirectory: Bool { clinux_file_type(st_mode) == 0o040000 }
}
