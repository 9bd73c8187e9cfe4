import Core
import Linux

/// What a directory tree occupies: bytes of regular files and inodes, a file with several names counted once.
enum DirectoryUsage {
  /// Deeper directories are not counted: a container may nest them without end, a thread's stack has one.
  static let maximumDepth = 200

  static func walk(_ path: String) throws -> DiskUsage {
    var usage = DiskUsage()
    var seen: Set<UInt64> = []
    try add(try Directory.open(path), 0, &usage, &seen)
    return usage
  }

  private static func add(_ directory: borrowing Directory, _ depth: Int, _ usage: inout DiskUsage, _ seen: inout Set<UInt64>) throws {
    usage.inodes += 1
    for name in try directory.names() {
      // A running container may have removed it meanwhile.
      guard let status = try directory.status(name) else { continue }
      if status.type == .directory {
        if depth == maximumDepth { continue }
        do { try add(try directory.directory(name), depth + 1, &usage, &seen) } catch let error as SystemError {
          if error.number != error.noEntry { throw error }
        }
      } else if status.links == 1 || seen.insert(status.inode).inserted {
        usage.inodes += 1
        if status.type == .regular { usage.bytes += status.size }
      }
    }
  }
}
