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

  /// What lies beside a log.
  struct Past {
    /// The oldest first.
    var entries: [Entry] = []
    /// Names of packed files that are damaged from their first record on: nobody can tell where they belong.
    var unreadable: [Substring] = []
  }

  private enum Head {
    /// Time of the first record.
    case record(Int64)
    case unreadable
    /// A file that was read already, has no record yet, or is none of the log's.
    case other
  }

  static func isPacked(_ path: String) -> Bool { path.hasSuffix(packed) }

  /// The files before `current`, without those that had ended by `since`.
  static func past(of path: String, before current: FileIdentity, since: Int64) -> Past {
    var past = past(of: path, without: [current], since: since)
    let entries = past.entries
    let ended = entries.indices.dropLast().prefix { entries[$0 + 1].begin <= since }.count
    past.entries.removeFirst(ended)
    return past
  }

  /// The file that came after those that were read, where that is not the one of that name yet: more than one rotation has happened between two
  /// looks. `time`: of the last record that was read. One that was read may have been packed since.
  static func successor(of read: [FileIdentity], after time: Int64, of path: String) -> String? {
    past(of: path, without: read).entries.first { $0.begin > time || ($0.begin == time && !isPacked($0.path)) }?.path
  }

  /// A file that is just being packed is there twice.
  private static func past(of path: String, without read: [FileIdentity], since: Int64 = .min) -> Past {
    let directory = Files.parent(of: path)
    let prefix = path.split(separator: "/").last.map { $0 + "." } ?? ""
    let names = Set(((try? Files.list(directory)) ?? []).filter { $0.hasPrefix(prefix) && !$0.hasSuffix(".tmp") })
    var past = Past()
    for name in names.sorted() where !isPacked(name) || !names.contains(String(name.dropLast(packed.count))) {
      let path = "\(directory)/\(name)"
      switch head(path, read, since) {
      case .record(let begin): past.entries.append(Entry(path: path, begin: begin))
      case .unreadable: past.unreadable.append(name[...])
      case .other: break
      }
    }
    past.entries.sort { $0.begin < $1.begin }
    return past
  }

  /// What was last written before `since` is not missed, unreadable or not.
  private static func head(_ path: String, _ read: [FileIdentity], _ since: Int64) -> Head {
    guard var file = try? LogInput(path), let identity = try? file.identity() else { return .other }
    if read.contains(where: { $0.isSameFile(as: identity) }) { return .other }
    do throws(SystemError) {
      if let time = time(of: try file.read() ?? []) { return .record(time) }
      // Damage in the middle of the first record shows only behind it.
      _ = try file.read()
    } catch { return .other }
    return file.isDamaged && identity.modified >= since ? .unreadable : .other
  }

  private static func time(of record: [UInt8]) -> Int64? {
    let stamp = record.prefix(headSize).split(separator: UInt8(ascii: " "), maxSplits: 1).first
    return stamp.flatMap { Timestamp.parse(String(decoding: $0, as: UTF8.self)) }
  }
}
