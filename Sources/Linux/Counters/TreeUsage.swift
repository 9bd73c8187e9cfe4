/// What a directory tree occupies, as du(1) counts it: allocated bytes and inodes of everything in it, itself included, a file with several
/// names counted once.
package struct TreeUsage: Sendable, Hashable {
  package var bytes: Int64 = 0
  package var inodes: Int64 = 0

  package init() {}

  /// Deeper directories are not counted: a container may nest them without end, a thread's stack has one.
  static let maximumDepth = 400

  /// Blocks while it walks. What goes away meanwhile is not counted; ENOENT only where `path` itself is not there.
  package static func walk(_ path: String) throws(SystemError) -> TreeUsage {
    var usage = TreeUsage()
    var seen: Set<UInt64> = []
    try usage.add(try Directory.open(path), 0, &seen)
    return usage
  }

  /// Of a directory without what is in it; nothing where it is not there.
  package static func own(_ path: String) -> TreeUsage {
    var usage = TreeUsage()
    guard let directory = try? Directory.open(path), let status = try? directory.status() else { return usage }
    (usage.bytes, usage.inodes) = (status.allocated, 1)
    return usage
  }

  private mutating func add(_ directory: borrowing Directory, _ depth: Int, _ seen: inout Set<UInt64>) throws(SystemError) {
    inodes += 1
    bytes += try directory.status().allocated
    for name in try directory.names() {
      guard let status = try directory.status(name) else { continue }
      if status.type == .directory {
        if depth < Self.maximumDepth { try addDirectory(name, in: directory, depth, &seen) }
      } else if status.links == 1 || seen.insert(status.inode).inserted {
        inodes += 1
        bytes += status.allocated
      }
    }
  }

  private mutating func addDirectory(_ name: RawName, in directory: borrowing Directory, _ depth: Int, _ seen: inout Set<UInt64>)
    throws(SystemError)
  {
    do { try add(try directory.directory(name), depth + 1, &seen) } catch { if !error.isMissing { throw error } }
  }
}
