import Linux

/// What a rotated log's files are called is the rotating program's affair; they were written one after the other, which their records' times tell.
enum RotatedLogs {
  private static let headSize = 64

  /// The file that came after those that were read, where that is not the one of that name yet: more than one rotation has happened between two
  /// looks. `time`: of the last record that was read. Packed files cannot be read.
  static func successor(of read: [FileIdentity], after time: Int64, of path: String) -> String? {
    let directory = Files.parent(of: path)
    let prefix = path.split(separator: "/").last.map { $0 + "." } ?? ""
    let names = (try? Files.list(directory)) ?? []
    let candidates = names.filter { $0.hasPrefix(prefix) && !$0.hasSuffix(".gz") && !$0.hasSuffix(".tmp") }.compactMap { name in
      begin(directory + "/" + name, read).map { (path: directory + "/" + name, begin: $0) }
    }
    return candidates.filter { $0.begin >= time }.min { $0.begin < $1.begin }?.path
  }

  /// Time of the first record; nil for a file that was read or has none.
  private static func begin(_ path: String, _ read: [FileIdentity]) -> Int64? {
    guard let file = try? FileHandle.open(path), let identity = try? file.identity(path) else { return nil }
    guard !read.contains(where: { $0.isSameFile(as: identity) }), let head = try? file.read(count: headSize, at: 0, path) else {
      return nil
    }
    return head.split(separator: UInt8(ascii: " "), maxSplits: 1).first.flatMap { Timestamp.parse(String(decoding: $0, as: UTF8.self)) }
  }
}
