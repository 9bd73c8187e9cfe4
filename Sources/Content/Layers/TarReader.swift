import CArchive
import Core
import Linux

/// Reads the entries of a tar, in any dialect that libarchive knows, from a source of uncompressed bytes.
final class TarReader {
  private let input: ArchiveInput
  private let limits: ExtractionLimits
  private var isOpen = false
  private var count = 0
  private var lastPath = RawName("")

  init(_ source: any ByteSource, limits: ExtractionLimits) throws {
    self.limits = limits
    input = try ArchiveInput(source, remembers: true) {
      archive_read_support_filter_none($0)
      archive_read_support_format_tar($0)
      archive_read_support_format_empty($0)
    }
  }

  /// The next entry; `nil` at the archive's end. What the last entry's data left unread is skipped.
  func next() throws -> TarEntry? {
    var handle: OpaquePointer?
    do {
      if !isOpen { try input.open() }
      isOpen = true
      input.forget()
      if try input.check(archive_read_next_header(input.handle, &handle)) { return nil }
    } catch {
      throw Fault(error).within(count == 0 ? "tar" : "tar, after entry \(count), \"\(lastPath)\"")
    }
    return try entry(handle!)
  }

  private func entry(_ handle: OpaquePointer) throws -> TarEntry {
    count += 1
    guard count <= limits.entries else { throw Fault(.invalidArgument, "it has more than \(limits.entries) entries") }
    guard let name = archive_entry_pathname(handle) else { throw Fault(.invalidArgument, "entry \(count) has no readable name") }
    let path = exact(RawName(cString: name), \.path, handle)
    lastPath = path
    return try stage("entry \"\(path)\"") {
      TarEntry(path: path, kind: try kind(handle), metadata: try metadata(handle))
    }
  }

  /// The name as the archive has it. Only what is not ASCII has more than one form.
  private func exact(_ name: RawName, _ which: KeyPath<PaxNames, RawName?>, _ handle: OpaquePointer) -> RawName {
    guard name.bytes.contains(where: { $0 >= 0x80 }), let recent = input.recent else { return name }
    return PaxNames.exact(name, PaxNames(recent, at: archive_read_header_position(input.handle))[keyPath: which])
  }

  private func kind(_ handle: OpaquePointer) throws -> TarEntry.Kind {
    if let target = archive_entry_hardlink(handle) { return .hardLink(exact(RawName(cString: target), \.link, handle)) }
    switch FileType(mode: archive_entry_filetype(handle)) {
    case .directory: return .directory
    case .regular: return .file(size: try size(handle))
    case .symlink: return .item(.symlink(archive_entry_symlink(handle).map { exact(RawName(cString: $0), \.link, handle) } ?? RawName("")))
    case .fifo: return .item(.fifo)
    case .characterDevice: return .item(.characterDevice(try device(handle)))
    case .blockDevice: return .item(.blockDevice(try device(handle)))
    case .socket, nil: throw Fault(.invalidArgument, "unknown type")
    }
  }

  private func size(_ handle: OpaquePointer) throws -> Int64 {
    let size = archive_entry_size(handle)
    guard size >= 0, size <= limits.fileSize else {
      throw Fault(.invalidArgument, "\(size) bytes, at most \(limits.fileSize) are allowed")
    }
    return size
  }

  private func device(_ handle: OpaquePointer) throws -> DeviceNumber {
    let (major, minor) = (archive_entry_rdevmajor(handle), archive_entry_rdevminor(handle))
    guard let major = UInt32(exactly: major), let minor = UInt32(exactly: minor), major < 1 << 12, minor < 1 << 20 else {
      throw Fault(.invalidArgument, "device number \(major):\(minor) does not exist")
    }
    return DeviceNumber(major: major, minor: minor)
  }

  private func metadata(_ handle: OpaquePointer) throws -> Metadata {
    var metadata = Metadata()
    metadata.mode = UInt16(archive_entry_perm(handle) & 0o7777)
    metadata.owner = try identifier(archive_entry_uid(handle), "owner")
    metadata.group = try identifier(archive_entry_gid(handle), "group")
    metadata.modified = FileTime(seconds: Int64(archive_entry_mtime(handle)), nanoseconds: Int32(archive_entry_mtime_nsec(handle)))
    metadata.attributes = try attributes(handle)
    return metadata
  }

  /// 2^32 - 1 means "no change" to chown(2).
  private func identifier(_ value: Int64, _ what: String) throws -> UInt32 {
    guard value >= 0, value < Int64(UInt32.max) else { throw Fault(.invalidArgument, "\(what) \(value) does not exist") }
    return UInt32(value)
  }

  private func attributes(_ handle: OpaquePointer) throws -> [RawName: [UInt8]] {
    var result: [RawName: [UInt8]] = [:]
    archive_entry_xattr_reset(handle)
    var name: UnsafePointer<CChar>?
    var value: UnsafeRawPointer?
    var size = 0
    while archive_entry_xattr_next(handle, &name, &value, &size) == ARCHIVE_OK, let attribute = name {
      let attribute = RawName(cString: attribute)
      if LayerMarks.isReserved(attribute) { continue }
      guard result.count < limits.attributes else {
        throw Fault(.invalidArgument, "it has more than \(limits.attributes) extended attributes")
      }
      guard size <= limits.attributeSize, attribute.bytes.count <= ExtractionLimits.attributeNameLength else {
        throw Fault(
          .invalidArgument, "extended attribute \"\(attribute)\" has \(size) bytes, at most \(limits.attributeSize) are allowed")
      }
      result[attribute] = Array(UnsafeRawBufferPointer(start: value, count: size))
    }
    return result
  }

  /// The next piece of the current entry's content, with its place in the file (holes are left out); `nil` at its end.
  func nextBlock() throws -> (bytes: UnsafeRawBufferPointer, offset: Int64)? {
    var block: UnsafeRawPointer?
    var size = 0
    var offset: Int64 = 0
    input.forget()
    if try input.check(archive_read_data_block(input.handle, &block, &size, &offset)) { return nil }
    return (UnsafeRawBufferPointer(start: block, count: size), offset)
  }
}
