import CLinux

/// An open directory. Every name given to it is one single component, never followed where it is a symlink.
package struct Directory: ~Copyable, Sendable {
  package let handle: FileHandle

  package init(_ handle: consuming FileHandle) { self.handle = handle }

  package static func open(_ path: String) throws(SystemError) -> Directory {
    Directory(try FileHandle.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW))
  }

  package func directory(_ name: RawName) throws(SystemError) -> Directory {
    Directory(try openFile(name, O_RDONLY | O_DIRECTORY))
  }

  /// A new file; EEXIST where the name is taken.
  package func createFile(_ name: RawName, mode: UInt16 = 0o600) throws(SystemError) -> FileHandle {
    try openFile(name, O_RDWR | O_CREAT | O_EXCL, mode: UInt32(mode))
  }

  package func readFile(_ name: RawName) throws(SystemError) -> FileHandle { try openFile(name, O_RDONLY | O_NONBLOCK) }

  private func openFile(_ name: RawName, _ flags: Int32, mode: UInt32 = 0) throws(SystemError) -> FileHandle {
    let raw = try check("openat", name.description) {
      name.withCString { clinux_openat(handle.raw, $0, flags | O_NOFOLLOW | O_CLOEXEC, mode) }
    }
    return FileHandle(owning: raw)
  }

  /// Nil where there is no such name.
  package func status(_ name: RawName) throws(SystemError) -> FileStatus? {
    var raw = stat()
    do {
      try check("fstatat", name.description) { name.withCString { fstatat(handle.raw, $0, &raw, AT_SYMLINK_NOFOLLOW) } }
    } catch {
      if error.is(ENOENT) { return nil }
      throw error
    }
    guard let status = FileStatus(raw) else { throw SystemError(EINVAL, call: "fstatat", object: name.description) }
    return status
  }

  /// Of the directory itself.
  package func status() throws(SystemError) -> FileStatus { try handle.status() }

  package func readLink(_ name: RawName) throws(SystemError) -> RawName {
    var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = try check("readlinkat", name.description) {
      name.withCString { path in
        buffer.withUnsafeMutableBytes { readlinkat(handle.raw, path, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count) }
      }
    }
    return RawName(buffer[..<count])
  }

  /// Names without `.` and `..`, sorted by bytes.
  package func names() throws(SystemError) -> [RawName] {
    let raw = try check("openat", ".") { clinux_openat(handle.raw, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0) }
    guard let stream = fdopendir(raw) else {
      let number = clinux_errno()
      close(raw)
      throw SystemError(number, call: "fdopendir")
    }
    defer { closedir(stream) }
    var names: [RawName] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { RawName(Array($0.prefix { $0 != 0 })) }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }
}

extension FileHandle {
  package func status() throws(SystemError) -> FileStatus {
    var value = stat()
    try check("fstat") { fstat(raw, &value) }
    guard let status = FileStatus(value) else { throw SystemError(EINVAL, call: "fstat") }
    return status
  }
}
