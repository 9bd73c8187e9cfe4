import CLinux

/// Owner, mode, times and extended attributes of entries, symlinks themselves included.
extension Directory {
  package func setOwner(_ name: RawName, _ owner: UInt32, _ group: UInt32) throws(SystemError) {
    try check("fchownat", name.description) {
      name.withCString { fchownat(handle.raw, $0, owner, group, AT_SYMLINK_NOFOLLOW) }
    }
  }

  /// Not for symlinks: they have no mode of their own.
  package func setMode(_ name: RawName, _ mode: UInt16) throws(SystemError) {
    try check("fchmodat", name.description) { name.withCString { fchmodat(handle.raw, $0, UInt32(mode), 0) } }
  }

  package func setModified(_ name: RawName, _ time: FileTime) throws(SystemError) {
    try check("utimensat", name.description) {
      name.withCString { path in time.withPair { utimensat(handle.raw, path, $0, AT_SYMLINK_NOFOLLOW) } }
    }
  }

  package func setAttribute(_ name: RawName, _ attribute: RawName, _ value: [UInt8]) throws(SystemError) {
    try check("lsetxattr", "\(name) \(attribute)") {
      viaProc(name).withCString { path in attribute.withCString { lsetxattr(path, $0, value, value.count, 0) } }
    }
  }

  package func removeAttribute(_ name: RawName, _ attribute: RawName) throws(SystemError) {
    try check("lremovexattr", "\(name) \(attribute)") {
      viaProc(name).withCString { path in attribute.withCString { lremovexattr(path, $0) } }
    }
  }

  /// All extended attributes; empty where the filesystem knows none.
  package func attributes(_ name: RawName) throws(SystemError) -> [RawName: [UInt8]] {
    let path = viaProc(name)
    let list: [UInt8]
    do {
      list = try grow("llistxattr", name) { buffer in
        path.withCString { llistxattr($0, buffer.baseAddress?.assumingMemoryBound(to: CChar.self), buffer.count) }
      }
    } catch {
      if error.is(ENOTSUP) { return [:] }
      throw error
    }
    var result: [RawName: [UInt8]] = [:]
    for attribute in list.split(separator: 0).map({ RawName($0) }) {
      result[attribute] = try grow("lgetxattr", name) { buffer in
        path.withCString { path in attribute.withCString { lgetxattr(path, $0, buffer.baseAddress, buffer.count) } }
      }
    }
    return result
  }

  /// There are no *xattrat calls before Linux 6.13: the descriptor's own path under /proc, then one component that the l-calls do not follow.
  private func viaProc(_ name: RawName) -> RawName { RawName(Array("/proc/self/fd/\(handle.raw)/".utf8) + name.bytes) }

  private func grow(_ call: StaticString, _ name: RawName, _ body: (UnsafeMutableRawBufferPointer) -> Int)
    throws(SystemError) -> [UInt8]
  {
    while true {
      let size = try check(call, name.description) { body(UnsafeMutableRawBufferPointer(start: nil, count: 0)) }
      if size == 0 { return [] }
      var bytes = [UInt8](repeating: 0, count: size)
      do {
        let count = try check(call, name.description) { bytes.withUnsafeMutableBytes { body($0) } }
        return Array(bytes[..<count])
      } catch {
        // It grew in between.
        if !error.is(ERANGE) { throw error }
      }
    }
  }
}

extension FileTime {
  /// Runs `body` with access and modification time alike, as utimensat(2) takes them.
  func withPair<T>(_ body: (UnsafePointer<timespec>) -> T) -> T {
    let time = timespec(tv_sec: Int(seconds), tv_nsec: Int(nanoseconds))
    return withUnsafeBytes(of: (time, time)) { body($0.baseAddress!.assumingMemoryBound(to: timespec.self)) }
  }
}
