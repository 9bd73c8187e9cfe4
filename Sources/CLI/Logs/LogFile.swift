import Linux

/// Reads a container's log as it grows: the files of past rotations, packed ones too, then the one of its name. Each is read to its end before the
/// next is begun.
struct LogFile: ~Copyable {
  private let path: String
  private var input: LogInput
  /// Names of files of the asked time that cannot be read at all.
  let unreadable: [Substring]
  /// The beginning of a record whose end is not written yet.
  private var rest: [UInt8] = []
  /// Of the last record that was read: its time, and the same as it is in the file.
  private var last: (time: Int64, stamp: [UInt8])?
  /// Files that were read to their end.
  private var finished: [FileIdentity] = []

  private static let filesRemembered = 32
  /// Times of files are not finer, in nanoseconds.
  private static let clockTick: Int64 = 10_000_000

  /// `tail`: begin with this many last records, of whatever file; nil: with the first. Files with nothing from `since` on are left out.
  init(_ path: String, tail: Int?, since: Int64 = .min) throws(SystemError) {
    var unreadable: [Substring] = []
    input = try Self.begin(path, tail, since, &unreadable)
    self.unreadable = unreadable
    self.path = path
  }

  /// The one of its name is opened first: when that is rotated now, it is found under its new name.
  private static func begin(_ path: String, _ tail: Int?, _ since: Int64, _ unreadable: inout [Substring]) throws(SystemError) -> LogInput {
    var input = try LogInput(path)
    let past = RotatedLogs.past(of: path, before: try input.identity(), since: since)
    guard let tail else {
      unreadable = past.unreadable
      if let first = past.entries.first, let oldest = try? LogInput(first.path) { input = oldest }
      return input
    }
    var missing = tail - (try input.begin(atLast: tail))
    if missing > 0 { unreadable = past.unreadable }
    for entry in past.entries.reversed() where missing > 0 {
      guard var file = try? LogInput(entry.path) else { continue }
      missing -= try file.begin(atLast: missing)
      input = file
    }
    return input
  }

  /// The complete records that are there by now, at most about a chunk of them; empty only where there is none.
  mutating func next() throws(SystemError) -> [LogLine] {
    while true {
      var bytes = try read()
      if bytes.isEmpty, try hasMoved() { bytes = try readMoved() }
      if bytes.isEmpty { return [] }
      let lines = take(bytes)
      if !lines.isEmpty { return lines }
    }
  }

  /// The writer may have gone on between our last look and the renaming.
  private mutating func readMoved() throws(SystemError) -> [UInt8] {
    let bytes = try read()
    if !bytes.isEmpty { return bytes }
    try reopen()
    return try read()
  }

  /// Of a damaged file all that can be read, and then a record that says so.
  private mutating func read() throws(SystemError) -> [UInt8] {
    if let bytes = try input.read() { return bytes }
    rest = []
    return (last?.stamp ?? []) + Array(" stderr F [berth: the rest of \(input.name) is damaged]\n".utf8)
  }

  /// Another file has taken the name, or this one was cut short. No file of that name, just now: not yet.
  private func hasMoved() throws(SystemError) -> Bool {
    guard let named = try? FileIdentity.of(path: path) else { return try successor() != nil }
    if input.isPacked { return true }
    let open = try input.identity()
    return !named.isSameFile(as: open) || open.size < input.offset
  }

  private func successor() throws(SystemError) -> String? {
    let identity = try input.identity()
    return RotatedLogs.successor(of: finished + [identity], after: last?.time ?? identity.modified - Self.clockTick, of: path)
  }

  private mutating func reopen() throws(SystemError) {
    let next = try LogInput(try successor() ?? path)
    finished = Array((finished + [try input.identity()]).suffix(Self.filesRemembered))
    input = next
    rest = []
  }

  private mutating func take(_ bytes: [UInt8]) -> [LogLine] {
    rest += bytes
    guard let end = rest.lastIndex(of: UInt8(ascii: "\n")) else { return [] }
    let lines = rest[..<end].split(separator: UInt8(ascii: "\n")).compactMap(LogLine.init(record:))
    rest.removeFirst(end + 1)
    if let line = lines.last { last = (line.time, Array(line.stamp)) }
    return lines
  }
}
