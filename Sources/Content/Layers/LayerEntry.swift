import Linux

/// Owner, mode, times and extended attributes of an entry.
struct Metadata: Sendable, Hashable {
  /// Permission bits with setuid, setgid and sticky.
  var mode: UInt16 = 0o755
  var owner: UInt32 = 0
  var group: UInt32 = 0
  var modified = FileTime()
  var attributes: [RawName: [UInt8]] = [:]

  /// Of a directory that no archive describes.
  static let implied = Metadata()
}

/// What is not a directory: kind and what belongs to it. Hard links are several names of one item.
struct Item: Sendable, Hashable {
  enum Kind: Sendable, Hashable {
    /// Length, and CRC-64 of the content.
    case file(size: Int64, checksum: UInt64)
    case symlink(RawName)
    case fifo
    case characterDevice(DeviceNumber)
    case blockDevice(DeviceNumber)
  }

  var kind: Kind
  var metadata: Metadata
}

/// One entry of a layer's archive, names as they are there.
struct TarEntry: Sendable {
  enum Kind: Sendable {
    case directory
    /// The content follows in the archive.
    case file(size: Int64)
    /// Anything but a file, complete.
    case item(Item.Kind)
    case hardLink(RawName)

    /// A hard link's own metadata counts for nothing.
    var type: FileType {
      switch self {
      case .directory: .directory
      case .file, .hardLink: .regular
      case .item(let kind): kind.type
      }
    }
  }

  var path: RawName
  var kind: Kind
  var metadata: Metadata
}
