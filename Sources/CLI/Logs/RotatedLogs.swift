import Linux

/// What a rotated log's files are called is the rotating program's affair; they were written one after the other, which their records' times tell.
enum RotatedLogs {
  /// What the kubelet puts behind the name of a file that it has packed.
  static let packed = ".gz"
  private static let headSize = 64

  /// A file of a log's past.
  struct Entry {
    let path: String
    /// Time of its first record.
    let begin: Int64
  }

  static func isPacked(_ path: String) -> Bool { path.hasSuffix(packed) }

  /// The files before `current`, the oldest first, without those that had ended by `since`.
  static func entries(of path: String, before current: FileIdentity, since: Int64) -> [Entry] {
    let entries = entries(of: path, without: [current])
    let ended = entries.indices.dropLast().prefix { entries[$0 + 1].begin <= since }.count
    return Array(entries.dropFirst(ended))
  }

  /// The file that came after those that were read, where that is not the one of that name yet: more than one rotation has happened between two
  /// looks. `time`: of the last record that was read. One that was read may have been packed since.
  static func successor(of read: [FileIdentity], after time: Int64, of path: String) -> String? {
    entries(of: path, without: read).first { $0.begin > time || ($0.begin == time && !isPacked($0.path)) }?.path
  }

  /// A file that is just being packed is there twice.
  private static func entries(of path: String, without read: [FileIdentity]) -> [Entry] {
    let directory = Files.parent(of: path)
    let prefix = path.split(separator: "/").last.map { $0 + "." } ?? ""
    let names = Set(((try? Files.list(directory)) ?? []).filter { $0.hasPrefix(prefix) && !$0.hasSuffix(".tmp") })
    return names.filter { !isPacked($0) || !names.contains(String($0.dropLast(packed.count))) }.compactMap { name in
      begin("\(directory)/\(name)", read).map { Entry(path: "\(directory)/\(name)", begin: $0) }
    }.sorted { $0.begin < $1.begin }
  }

  /// Nil for a file that was read or has no record.
  private static func begin(_ path: String, _ read: [FileIdentity]) -> Int64? {
    guard var file = try? LogInput(path), let identity = try? file.identity() else { return nil }
    guard !read.contains(where: { $0.isSameFile(as: identity) }), let head = try? file.read()?.prefix(headSize) else { return nil }
    return head.split(separator: UInt8(ascii: " "), maxSplits: 1).first.flatMap { Timestamp.parse(String(decoding: $0, as: UTF8.self)) }
  }
}
