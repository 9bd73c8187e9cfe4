import CLinux

/// Content and metadata of an open file.
extension FileHandle {
  package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(SystemError) {
    var done = 0
    while done < bytes.count {
      done += try check("pwrite") { pwrite(raw, bytes.baseAddress! + done, bytes.count - done, off_t(offset) + off_t(done)) }
    }
  }

  /// Fills `buffer` from `offset` as far as the file goes; the number of bytes read.
  package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(SystemError) -> Int {
    var done = 0
    while done < buffer.count {
      let count = try check("pread") { pread(raw, buffer.baseAddress! + done, buffer.count - done, off_t(offset) + off_t(done)) }
      if count == 0 { break }
      done += count
    }
    return done
  }

  /// Where data begins at `offset` or behind it, holes left out; nil where there is none.
  package func nextData(from offset: Int64) throws(SystemError) -> Int64? {
    let found = lseek(raw, off_t(offset), SEEK_DATA)
    if found >= 0 { return Int64(found) }
    let number = clinux_errno()
    if number == ENXIO { return nil }
    throw SystemError(number, call: "lseek")
  }

  /// Where data ends behind `offset`: the next hole, or the end of the file.
  package func nextHole(from offset: Int64) throws(SystemError) -> Int64 {
    Int64(try check("lseek") { lseek(raw, off_t(offset), SEEK_HOLE) })
  }

  package func truncate(to size: Int64) throws(SystemError) { try check("ftruncate") { ftruncate(raw, off_t(size)) } }

  package func setOwner(_ owner: UInt32, _ group: UInt32) throws(SystemError) { try check("fchown") { fchown(raw, owner, group) } }

  package func setMode(_ mode: UInt16) throws(SystemError) { try check("fchmod") { fchmod(raw, UInt32(mode)) } }

  package func setModified(_ time: FileTime) throws(SystemError) {
    try check("futimens") { time.withPair { futimens(raw, $0) } }
  }

  package func setAttribute(_ attribute: RawName, _ value: [UInt8]) throws(SystemError) {
    try check("fsetxattr", attribute.description) { attribute.withCString { fsetxattr(raw, $0, value, value.count, 0) } }
  }

  /// Nil where there is no such attribute.
  package func attribute(_ attribute: RawName, limit: Int = 64 << 10) throws(SystemError) -> [UInt8]? {
    var value = [UInt8](repeating: 0, count: limit)
    do {
      let count = try check("fgetxattr", attribute.description) {
        attribute.withCString { name in value.withUnsafeMutableBytes { fgetxattr(raw, name, $0.baseAddress, $0.count) } }
      }
      return Array(value[..<count])
    } catch {
      if error.is(ENODATA, ENOTSUP) { return nil }
      throw error
    }
  }

  /// Content and metadata on disk.
  package func sync() throws(SystemError) { try check("fsync") { fsync(raw) } }

  /// The whole filesystem this file lives on.
  package func syncFilesystem() throws(SystemError) { try check("syncfs") { syncfs(raw) } }

  /// Starts writing a range out without waiting; only a hint, so failures do not matter.
  package func startWriteback(_ offset: Int64, _ length: Int64) { _ = clinux_start_writeback(raw, offset, length) }

  /// Shares the data of `source` where the filesystem can; false where it cannot.
  package func reflink(from source: borrowing FileHandle) -> Bool { clinux_reflink(raw, source.raw) == 0 }
}

extension FileHandle {
  /// A new file for reading and writing; EEXIST where `path` is taken.
  package static func create(_ path: String, mode: UInt32 = 0o600) throws(SystemError) -> FileHandle {
    try open(path, O_RDWR | O_CREAT | O_EXCL, mode: mode)
  }
}

extension FileHandle {
  /// A file in memory without a name (memfd_create(2)); `label` only shows in /proc.
  package static func unnamed(_ label: String) throws(SystemError) -> FileHandle {
    FileHandle(owning: try check("memfd_create", label) { memfd_create(label, UInt32(MFD_CLOEXEC)) })
  }
}
