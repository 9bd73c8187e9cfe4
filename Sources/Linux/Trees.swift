import CLinux

/// Whole directory trees that Berth owns.
package enum Trees {
  /// Deletes `path` and everything below it, by descriptors and without following symlinks or crossing into another mount.
  /// What is not there counts as deleted. On a thread that may block.
  package static func remove(_ path: String) async throws {
    try await BlockingWork.run { try removeNow(path) }
  }

  /// The same on the calling thread.
  package static func removeNow(_ path: String) throws(SystemError) {
    let parent = Files.parent(of: path)
    let name = String(path[path.index(after: path.lastIndex(of: "/") ?? path.startIndex)...])
    do {
      let directory = try FileHandle.open(parent, O_RDONLY | O_DIRECTORY)
      try removeEntry(name, in: directory.raw, path)
    } catch  where error.is(ENOENT) {}
  }

  private static func removeEntry(_ name: String, in directory: Int32, _ path: String) throws(SystemError) {
    if unlinkat(directory, name, 0) == 0 { return }
    let number = clinux_errno()
    if number == ENOENT { return }
    guard number == EISDIR || number == EPERM else { throw SystemError(number, call: "unlinkat", object: path) }
    try removeContents(of: name, in: directory, path)
    if unlinkat(directory, name, AT_REMOVEDIR) != 0, clinux_errno() != ENOENT {
      throw SystemError(clinux_errno(), call: "rmdir", object: path)
    }
  }

  private static func removeContents(of name: String, in directory: Int32, _ path: String) throws(SystemError) {
    let child = try FileHandle.open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, at: directory)
    let names = try names(in: child.raw, path)
    for entry in names { try removeEntry(entry, in: child.raw, path + "/" + entry) }
  }

  private static func names(in directory: Int32, _ path: String) throws(SystemError) -> [String] {
    // fdopendir takes its descriptor over, so it gets one of its own.
    let own = try check("dup", path) { clinux_fcntl_int(directory, F_DUPFD_CLOEXEC, 0) }
    guard let stream = fdopendir(own) else {
      let number = clinux_errno()
      close(own)
      throw SystemError(number, call: "fdopendir", object: path)
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }
}
