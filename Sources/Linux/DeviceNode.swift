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
  /// ENODEV where it is something else, or no directory of devices but half a file system.
  package static func all(at path: String) throws(SystemError) -> [DeviceNode] {
    var status = stat()
    try check("stat", path) { stat(path, &status) }
    if status.isDirectory {
      var search = DeviceSearch(filesystem: status.st_dev)
      try search.enter(path)
      return search.nodes
    }
    guard let node = DeviceNode(path, status) else { throw SystemError(ENODEV, call: "stat", object: path) }
    return [node]
  }

  /// Devices of the host for a privileged container: all of /dev but what every container has of its own.
  package static func ofHost() throws(SystemError) -> [DeviceNode] {
    let own: Set = [
      "/dev/pts", "/dev/shm", "/dev/fd", "/dev/mqueue", "/dev/console", "/dev/ptmx", "/dev/.lxc", "/dev/.lxd-mounts", "/dev/.udev",
    ]
    var search = DeviceSearch(excluded: own)
    try search.enter("/dev")
    return search.nodes
  }

  fileprivate init?(_ path: String, _ status: stat) {
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

/// A walk through directories of devices.
private struct DeviceSearch {
  /// More than any /dev holds.
  private static let limit = 65536

  var excluded: Set<String> = []
  /// Other file systems are not entered; any is where there is none.
  var filesystem: dev_t?
  private(set) var nodes: [DeviceNode] = []
  private var seen = 0

  init(excluded: Set<String> = [], filesystem: dev_t? = nil) {
    self.excluded = excluded
    self.filesystem = filesystem
  }

  mutating func enter(_ directory: String) throws(SystemError) {
    for name in try Files.list(directory) {
      let path = directory + "/" + name
      var status = stat()
      seen += 1
      if seen > Self.limit { throw SystemError(ENODEV, call: "more than \(Self.limit) files below", object: directory) }
      // What went away meanwhile is no device of anyone.
      guard !excluded.contains(path), lstat(path, &status) == 0 else { continue }
      if status.isDirectory, filesystem == nil || filesystem == status.st_dev { try enter(path) }
      if let node = DeviceNode(path, status) { nodes.append(node) }
    }
  }
}

extension stat {
  fileprivate var isDirectory: Bool { clinux_file_type(st_mode) == 0o040000 }
}
