import CLinux

extension Files {
  /// Gives a complete, synced file or directory its final name, durably. ENOTEMPTY or EEXIST where a directory has that name already.
  package static func place(_ temporary: String, at path: String) throws(SystemError) {
    try check("rename", path) { rename(temporary, path) }
    try syncDirectory(parent(of: path))
  }

  /// `rm -rf` without following symlinks. Removing what is not there succeeds.
  package static func removeTree(_ path: String) throws(SystemError) {
    guard let slash = path.lastIndex(of: "/") else { throw SystemError(EINVAL, call: "unlinkat", object: path) }
    let parent: Directory
    do { parent = try Directory.open(Self.parent(of: path)) } catch {
      if error.is(ENOENT) { return }
      throw error
    }
    try parent.removeTree(RawName(String(path[path.index(after: slash)...])))
  }
}

extension SystemError {
  package var isMissing: Bool { self.is(ENOENT) }
}
