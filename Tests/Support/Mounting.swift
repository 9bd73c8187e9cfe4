import CLinux
package import Linux

/// A small tmpfs at `path` while `body` runs: a disk that can be full, or read-only.
package func withTmpfs(
  _ path: String, size: String, isolation: isolated (any Actor)? = #isolation, _ body: (String) async throws -> Void
) async throws {
  try Files.makeDirectories(path)
  try check("mount", path) { mount("tmpfs", path, "tmpfs", 0, "size=" + size) }
  defer { umount2(path, Int32(MNT_DETACH)) }
  try await body(path)
}

/// Writes until nothing fits any more.
package func fillUp(_ path: String) throws {
  let file = try FileHandle.open(path, O_WRONLY | O_CREAT)
  for size in [4096, 1] {
    do { while true { try Files.write([UInt8](repeating: 0, count: size), to: file.raw, path) } } catch {
      if !error.is(ENOSPC) { throw error }
    }
  }
}

package enum Mounting {
  /// `source` appears at `target` as well; both exist, and both are files or both directories.
  package static func bind(_ source: String, to target: String) throws(SystemError) {
    try check("mount --bind", target) { mount(source, target, nil, UInt(MS_BIND), nil) }
  }

  package static func isMountPoint(_ path: String) throws(SystemError) -> Bool { try MountInfo.read().contains { $0.mountPoint == path } }

  package static func makeReadOnly(_ path: String) throws(SystemError) {
    try check("mount", path) { mount("", path, "", UInt(MS_REMOUNT | MS_RDONLY), nil) }
  }

  package static let appendFlags = O_WRONLY | O_CREAT | O_APPEND

  package static func killSelf() { kill(getpid(), SIGKILL) }
}
