import CLinux

/// What kind of thing a directory entry is.
package enum FileType: UInt8, Sendable, Hashable {
  case regular, directory, symlink, fifo, characterDevice, blockDevice, socket

  package init?(mode: UInt32) {
    guard let type = Self.all.first(where: { $0.bits == mode & 0o170000 }) else { return nil }
    self = type
  }

  private static let all: [FileType] = [.regular, .directory, .symlink, .fifo, .characterDevice, .blockDevice, .socket]

  /// S_IF* bits (inode(7)).
  package var bits: UInt32 {
    switch self {
    case .regular: 0o100000
    case .directory: 0o040000
    case .symlink: 0o120000
    case .fifo: 0o010000
    case .characterDevice: 0o020000
    case .blockDevice: 0o060000
    case .socket: 0o140000
    }
  }
}

/// Seconds and nanoseconds since the epoch.
package struct FileTime: Hashable, Sendable {
  package var seconds: Int64
  /// 0 to 999 999 999.
  package var nanoseconds: Int32

  package init(seconds: Int64 = 0, nanoseconds: Int32 = 0) {
    self.seconds = seconds
    self.nanoseconds = nanoseconds
  }
}

/// A device's two numbers.
package struct DeviceNumber: Hashable, Sendable {
  package var major: UInt32
  package var minor: UInt32

  package init(major: UInt32, minor: UInt32) {
    self.major = major
    self.minor = minor
  }
}

/// What stat(2) says of an entry, symlinks not followed.
package struct FileStatus: Hashable, Sendable {
  package let type: FileType
  /// Permission bits with setuid, setgid and sticky.
  package let mode: UInt16
  package let owner: UInt32
  package let group: UInt32
  package let size: Int64
  package let modified: FileTime
  /// Of a device node.
  package let device: DeviceNumber
  package let inode: UInt64
  package let links: UInt64

  init?(_ raw: stat) {
    guard let type = FileType(mode: raw.st_mode) else { return nil }
    self.type = type
    mode = UInt16(raw.st_mode & 0o7777)
    owner = raw.st_uid
    group = raw.st_gid
    size = Int64(raw.st_size)
    modified = FileTime(seconds: Int64(raw.st_mtim.tv_sec), nanoseconds: Int32(raw.st_mtim.tv_nsec))
    device = DeviceNumber(major: clinux_major(UInt64(raw.st_rdev)), minor: clinux_minor(UInt64(raw.st_rdev)))
    inode = UInt64(raw.st_ino)
    links = UInt64(raw.st_nlink)
  }

  /// Overlayfs' sign that a name is gone: a character device 0:0.
  package var isWhiteout: Bool { type == .characterDevice && device == DeviceNumber(major: 0, minor: 0) }
}

extension SystemError {
  /// The filesystem, or this kind of file, cannot do it (user attributes on symlinks are EPERM).
  package var isUnsupported: Bool { self.is(ENOTSUP, EPERM) && call.hasSuffix("setxattr") || self.is(ENOTSUP) }
}
