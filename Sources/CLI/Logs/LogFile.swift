import Linux

/// Reads a container's log file as it grows. A rotated file is read to its end before the new one of the same name is begun.
struct LogFile: ~Copyable {
  private let path: String
  private var file: FileHandle
  /// Of the next byte to read.
  private var offset: Int
  /// The beginning of a record whose end is not written yet.
  private var rest: [UInt8] = []
  /// Of the last record that was read.
  private var lastTime: Int64?
  /// Files that were read to their end.
  private var finished: [FileIdentity] = []

  private static let chunk = 64 << 10
  private static let filesRemembered = 32
  /// Times of files are not finer, in nanoseconds.
  private static let clockTick: Int64 = 10_000_000

  /// `tail`: begin with this many last records; nil: with the first.
  init(_ path: String, tail: Int?) throws(SystemError) {
    let opened = try FileHandle.open(path)
    offset = if let tail { try Self.start(ofLast: tail, in: opened, path) } else { 0 }
    file = opened
    self.path = path
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
    let last = try read()
    if !last.isEmpty { return last }
    try reopen()
    return try read()
  }

  private mutating func read() throws(SystemError) -> [UInt8] {
    let bytes = try file.read(count: Self.chunk, at: offset, path)
    offset += bytes.count
    return bytes
  }

  /// Another file has taken the name, or this one was cut short. No file of that name, just now: not yet.
  private func hasMoved() throws(SystemError) -> Bool {
    guard let named = try? FileIdentity.of(path: path) else { return false }
    let open = try file.identity(path)
    return !named.isSameFile(as: open) || open.size < offset
  }

  private mutating func reopen() throws(SystemError) {
    let identity = try file.identity(path)
    finished = Array((finished + [identity]).suffix(Self.filesRemembered))
    let next = RotatedLogs.successor(of: finished, after: lastTime ?? identity.modified - Self.clockTick, of: path) ?? path
    file = try FileHandle.open(next)
    offset = 0
    rest = []
  }

  private mutating func take(_ bytes: [UInt8]) -> [LogLine] {
    rest += bytes
    guard let last = rest.lastIndex(of: UInt8(ascii: "\n")) else { return [] }
    let lines = rest[..<last].split(separator: UInt8(ascii: "\n")).compactMap(LogLine.init(record:))
    rest.removeFirst(last + 1)
    lastTime = lines.last?.time ?? lastTime
    return lines
  }

  /// Reads backwards until enough line breaks were seen; the one that ends the file does not count.
  private static func start(ofLast count: Int, in file: borrowing FileHandle, _ path: String) throws(SystemError) -> Int {
    let size = try file.identity(path).size
    var end = size
    var wanted = count
    while end > 0 {
      let begin = max(0, end - chunk)
      let bytes = try file.read(count: end - begin, at: begin, path)
      for index in bytes.indices.reversed() where bytes[index] == UInt8(ascii: "\n") && begin + index != size - 1 {
        wanted -= 1
        if wanted == 0 { return begin + index + 1 }
      }
      if wanted <= 0 { return size }
      end = begin
    }
    return count == 0 ? size : 0
  }
}
