import CLinux

/// Making, moving and removing entries.
extension Directory {
  package func makeDirectory(_ name: RawName, mode: UInt16 = 0o700) throws(SystemError) {
    try check("mkdirat", name.description) { name.withCString { mkdirat(handle.raw, $0, UInt32(mode)) } }
  }

  package func makeSymlink(_ name: RawName, to target: RawName) throws(SystemError) {
    try check("symlinkat", name.description) {
      name.withCString { path in target.withCString { symlinkat($0, handle.raw, path) } }
    }
  }

  /// A fifo, a device or an empty regular file or socket.
  package func makeNode(_ name: RawName, _ type: FileType, device: DeviceNumber = DeviceNumber(major: 0, minor: 0))
    throws(SystemError)
  {
    let number = clinux_makedev(device.major, device.minor)
    try check("mknodat", name.description) { name.withCString { mknodat(handle.raw, $0, type.bits | 0o600, UInt(number)) } }
  }

  /// Overlayfs' sign that `name` of the layers below is gone.
  package func makeWhiteout(_ name: RawName) throws(SystemError) { try makeNode(name, .characterDevice) }

  /// A second name of `name` in `other`; symlinks are linked themselves.
  package func link(_ name: RawName, into other: borrowing Directory, as newName: RawName) throws(SystemError) {
    let target = other.handle.raw
    try check("linkat", newName.description) {
      name.withCString { from in newName.withCString { linkat(handle.raw, from, target, $0, 0) } }
    }
  }

  package func rename(_ name: RawName, into other: borrowing Directory, as newName: RawName) throws(SystemError) {
    let target = other.handle.raw
    try check("renameat", newName.description) {
      name.withCString { from in newName.withCString { renameat(handle.raw, from, target, $0) } }
    }
  }

  /// Removing what is not there succeeds.
  package func removeFile(_ name: RawName) throws(SystemError) { try unlink(name, 0) }

  package func removeEmptyDirectory(_ name: RawName) throws(SystemError) { try unlink(name, AT_REMOVEDIR) }

  private func unlink(_ name: RawName, _ flags: Int32) throws(SystemError) {
    do {
      try check("unlinkat", name.description) { name.withCString { unlinkat(handle.raw, $0, flags) } }
    } catch {
      if !error.is(ENOENT) { throw error }
    }
  }

  /// `rm -rf`: follows no symlink and crosses no mount: EXDEV, with the path, where something is mounted. Removing what is not there succeeds.
  ///
  /// However deep the tree is (a container can nest directories without end), stack and descriptors stay bounded: what is too deep is
  /// first moved up, beside `name`.
  package func removeTree(_ name: RawName) throws(SystemError) {
    var moved = 0
    try remove(name, depth: 0, top: self, name, &moved)
    var done = 0
    while done < moved {
      try remove(Self.aside(name, done), depth: 0, top: self, name, &moved)
      done += 1
    }
  }

  private static let maximumDepth = 32

  private static func aside(_ name: RawName, _ number: Int) -> RawName {
    RawName(Array(name.bytes.prefix(200)) + Array(".removed-\(number)".utf8))
  }

  private func remove(_ name: RawName, depth: Int, top: borrowing Directory, _ topName: RawName, _ moved: inout Int)
    throws(SystemError)
  {
    do {
      try removeFile(name)
      return
    } catch {
      // Linux says EISDIR, POSIX says EPERM.
      guard error.is(EISDIR, EPERM) else { throw error }
    }
    if depth > Self.maximumDepth {
      try rename(name, into: top, as: Self.aside(topName, moved))
      moved += 1
      return
    }
    try removeDirectory(name, depth, top: top, topName, &moved)
  }

  private func removeDirectory(_ name: RawName, _ depth: Int, top: borrowing Directory, _ topName: RawName, _ moved: inout Int)
    throws(SystemError)
  {
    do {
      let inner = try unmounted(name)
      for child in try inner.names() { try inner.remove(child, depth: depth + 1, top: top, topName, &moved) }
    } catch {
      if !error.is(ENOENT) { throw error }
    }
    try removeEmptyDirectory(name)
  }

  private func unmounted(_ name: RawName) throws(SystemError) -> Directory {
    let flags = UInt64(O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    let raw = name.withCString { clinux_openat2(handle.raw, $0, flags, 0, clinux_resolve_no_xdev()) }
    if raw >= 0 { return Directory(FileHandle(owning: raw)) }
    let number = clinux_errno()
    let parent = try Files.readLink("/proc/self/fd/\(handle.raw)")
    throw SystemError(number, call: "openat2", object: "\(parent)/\(name)")
  }
}
