import CLinux

/// Whole-file reads and writes, directories, removal: the small set every module needs, on absolute paths that Berth owns.
/// Paths that come from an image or a container never go here: see openat2 in ``ConfinedRoot``.
package enum Files {
  /// The whole file. EFBIG above `limit` bytes. Works for /proc and /sys, whose sizes read as 0.
  package static func read(_ path: String, limit: Int = 64 << 20) throws(SystemError) -> [UInt8] {
    let file = try FileHandle.open(path)
    return try read(file.raw, path, limit: limit)
  }

  package static func read(_ descriptor: Int32, _ path: String, limit: Int = 64 << 20) throws(SystemError) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = try check("read", path) { CLinux.read(descriptor, &chunk, chunk.count) }
      if count == 0 { return bytes }
      bytes += chunk[..<count]
      if bytes.count > limit { throw SystemError(EFBIG, call: "read", object: path) }
    }
  }

  /// All of it. A descriptor that does not wait by itself (a pipe that another program shares and has made so) is waited for.
  package static func write(_ bytes: [UInt8], to descriptor: Int32, _ path: String) throws(SystemError) {
    var done = 0
    while done < bytes.count {
      do throws(SystemError) {
        done += try check("write", path) {
          bytes.withUnsafeBytes { CLinux.write(descriptor, $0.baseAddress! + done, bytes.count - done) }
        }
      } catch {
        guard error.is(EAGAIN) else { throw error }
        try awaitRoom(descriptor, path)
      }
    }
  }

  private static func awaitRoom(_ descriptor: Int32, _ path: String) throws(SystemError) {
    var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    try check("poll", path) { poll(&entry, 1, -1) }
  }

  /// Writes a new or truncated file in place; for files whose loss costs nothing, and for /proc and /sys.
  package static func write(_ bytes: [UInt8], to path: String, mode: UInt32 = 0o600, create: Bool = true) throws(SystemError) {
    let file = try FileHandle.open(path, O_WRONLY | (create ? O_CREAT | O_TRUNC : 0), mode: mode)
    try write(bytes, to: file.raw, path)
  }

  package static func write(_ text: String, to path: String, mode: UInt32 = 0o600, create: Bool = true) throws(SystemError) {
    try write(Array(text.utf8), to: path, mode: mode, create: create)
  }

  /// All or nothing for readers: temporary file beside it, then rename. `durable` also syncs file and directory (never on a pod's request path).
  package static func replace(_ path: String, with bytes: [UInt8], mode: UInt32 = 0o600, durable: Bool) throws(SystemError) {
    let temporary = path + ".tmp"
    do {
      let file = try FileHandle.open(temporary, O_WRONLY | O_CREAT | O_TRUNC, mode: mode)
      try write(bytes, to: file.raw, temporary)
      if durable { try check("fsync", temporary) { fsync(file.raw) } }
    }
    try check("rename", path) { rename(temporary, path) }
    if durable { try syncDirectory(parent(of: path)) }
  }

  package static func syncDirectory(_ path: String) throws(SystemError) {
    let directory = try FileHandle.open(path, O_RDONLY | O_DIRECTORY)
    try check("fsync", path) { fsync(directory.raw) }
  }

  package static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// Like `mkdir -p`: new directories get `mode`; existing ones are left as they are.
  package static func makeDirectories(_ path: String, mode: UInt32 = 0o700) throws(SystemError) {
    if mkdir(path, mode) == 0 { return }
    let number = clinux_errno()
    switch number {
    case EEXIST: return
    case ENOENT:
      try makeDirectories(parent(of: path), mode: mode)
      if mkdir(path, mode) != 0, clinux_errno() != EEXIST { throw SystemError(clinux_errno(), call: "mkdir", object: path) }
    default: throw SystemError(number, call: "mkdir", object: path)
    }
  }

  /// Names in a directory, without `.` and `..`, sorted.
  package static func list(_ path: String) throws(SystemError) -> [String] {
    guard let stream = opendir(path) else { throw SystemError(clinux_errno(), call: "opendir", object: path) }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  package static func remove(_ path: String) throws(SystemError) {
    if unlink(path) != 0, clinux_errno() != ENOENT { throw SystemError(clinux_errno(), call: "unlink", object: path) }
  }

  /// Removes a directory and those in it, as far as they hold no files.
  package static func removeEmptyDirectories(_ path: String) {
    for name in (try? list(path)) ?? [] { removeEmptyDirectories("\(path)/\(name)") }
    _ = rmdir(path)
  }
}

extension Files {
  /// What a symbolic link says.
  package static func readLink(_ path: String) throws(SystemError) -> String {
    var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = try check("readlink", path) {
      buffer.withUnsafeMutableBytes { readlink(path, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count) }
    }
    return String(decoding: buffer[..<count], as: UTF8.self)
  }
}
