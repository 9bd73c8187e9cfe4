import CLinux

/// A call that failed with errno.
struct SystemFailure: Error {
  let message: Bytes
  let number: Int32

  init(_ stage: StaticString, _ object: Bytes, _ number: Int32 = clinux_errno()) {
    message = Bytes(stage) + " " + object + ": " + Bytes(errno: number)
    self.number = number
  }
}

enum Files {
  /// At most the last `limit` bytes of a file; nil where it cannot be read.
  static func read(_ path: Bytes, last limit: Int = 64 << 10) -> Bytes? {
    let fd = path.withCString { clinux_openat(AT_FDCWD, $0, O_RDONLY | O_CLOEXEC, 0) }
    guard fd >= 0 else { return nil }
    defer { close(fd) }
    let size = lseek(fd, 0, SEEK_END)
    _ = lseek(fd, size > limit ? size - limit : 0, SEEK_SET)
    var content = Bytes()
    while content.count < limit, appendChunk(fd, &content) > 0 {}
    return content
  }

  /// Reads once, up to `size` bytes. The result of read(2).
  static func appendChunk(_ fd: Int32, _ content: inout Bytes, size: Int = 4096) -> Int {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: size) { buffer in
      let count = CLinux.read(fd, buffer.baseAddress, size)
      if count > 0 { content.append(contentsOf: UnsafeBufferPointer(rebasing: buffer[..<count])) }
      return count
    }
  }

  @discardableResult
  static func write(_ path: Bytes, _ content: Bytes, mode: mode_t = 0o600) -> Bool {
    let fd = path.withCString { clinux_openat(AT_FDCWD, $0, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode) }
    guard fd >= 0 else { return false }
    defer { close(fd) }
    return writeAll(fd, content)
  }

  static func writeAll(_ fd: Int32, _ content: Bytes) -> Bool {
    var done = 0
    while done < content.count {
      let count = content.withUnsafeBytes { CLinux.write(fd, $0.baseAddress! + done, $0.count - done) }
      if count < 0 && clinux_errno() == EINTR { continue }
      guard count > 0 else { return false }
      done += count
    }
    return true
  }

  /// Appears whole or not at all.
  static func replace(_ path: Bytes, _ content: Bytes) -> Bool {
    let draft = path + ".new"
    guard write(draft, content) else { return false }
    return draft.withCString { from in path.withCString { rename(from, $0) } } == 0
  }

  static func remove(_ path: Bytes) { _ = path.withCString { unlink($0) } }

  static func makeDirectory(_ path: Bytes) -> Bool {
    path.withCString { mkdir($0, 0o700) } == 0 || clinux_errno() == EEXIST
  }

  /// Names in a directory, without the dots; `directories` only those that are directories themselves.
  static func names(_ path: Bytes, directories: Bool = false) -> [Bytes] {
    guard let stream = path.withCString({ opendir($0) }) else { return [] }
    defer { closedir(stream) }
    var found: [Bytes] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { Bytes(cString: $0) }
      }
      if name.matches(".") || name.matches("..") { continue }
      if !directories || entry.pointee.d_type == 4 { found.append(name) }
    }
    return found
  }

  static func exists(_ path: Bytes) -> Bool { path.withCString { access($0, F_OK) } == 0 }
}
