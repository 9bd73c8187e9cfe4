import CLinux

/// The stream of a CRI log record.
enum LogStream {
  case stdout
  case stderr

  var name: StaticString {
    switch self {
    case .stdout: "stdout"
    case .stderr: "stderr"
    }
  }
}

/// What stands before a record's content: `2026-01-02T03:04:05.000000006Z stdout F `. Always of one length, and kept as text: most records share
/// its second with the one before, and all of one read share everything.
struct LogHeader {
  static let size = 40
  /// Where the tag stands.
  static let tag = 38

  private(set) var text = Bytes("0000-00-00T00:00:00.000000000Z stdout F ")
  private var second: Int64 = -1

  mutating func stamp(_ stream: LogStream, _ nanoseconds: Int64) {
    let now = nanoseconds / 1_000_000_000
    if now != second {
      second = now
      stampSecond()
    }
    put(nanoseconds % 1_000_000_000, at: 20, 9)
    for index in 0..<6 { text[31 + index] = stream.name.utf8Start[index] }
  }

  private mutating func stampSecond() {
    var seconds = time_t(second)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    put(Int64(parts.tm_year) + 1900, at: 0, 4)
    put(Int64(parts.tm_mon) + 1, at: 5, 2)
    put(Int64(parts.tm_mday), at: 8, 2)
    put(Int64(parts.tm_hour), at: 11, 2)
    put(Int64(parts.tm_min), at: 14, 2)
    put(Int64(parts.tm_sec), at: 17, 2)
  }

  private mutating func put(_ number: Int64, at start: Int, _ width: Int) {
    var rest = number
    for index in stride(from: start + width - 1, through: start, by: -1) {
      text[index] = 48 + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
  }
}

/// Cuts one stream's bytes into records: a line is a record tagged F; a line longer than the limit comes in pieces of which all but the last
/// are tagged P. What stands without a newline waits, and is a record tagged P when the stream ends: readers of F add a newline that was never said.
struct LogLines {
  private static let whole: UInt8 = 70
  private static let partial: UInt8 = 80

  /// Bytes of content in one record.
  let limit: Int
  private var pending = Bytes()
  /// A line's first pieces are written, its end is not.
  private(set) var isInLine = false

  init(limit: Int) { self.limit = limit }

  /// Writes every record that `chunk` completes.
  mutating func take(_ chunk: UnsafeBufferPointer<UInt8>, to file: inout LogFile) {
    guard var next = chunk.baseAddress else { return }
    let end = next + chunk.count
    while next < end {
      let room = limit - pending.count
      let count = end - next
      if let newline = memchr(next, 10, min(count, room + 1)) {
        let length = UnsafeRawPointer(newline) - UnsafeRawPointer(next)
        complete(Self.whole, next, length, to: &file)
        next += length + 1
      } else if count > room {
        complete(Self.partial, next, room, to: &file)
        next += room
      } else {
        pending.append(contentsOf: UnsafeBufferPointer(start: next, count: count))
        return
      }
    }
  }

  /// What stands without a newline so far.
  func withPending(_ body: (UnsafeBufferPointer<UInt8>) -> Void) { if !pending.isEmpty { pending.withUnsafeBufferPointer { body($0) } } }

  /// At the stream's end.
  mutating func finish(to file: inout LogFile) {
    if !pending.isEmpty { pending.withUnsafeBufferPointer { file.append(Self.partial, $0.baseAddress!, $0.count, goesOn: false) } }
    pending = []
  }

  private mutating func complete(_ tag: UInt8, _ last: UnsafePointer<UInt8>, _ count: Int, to file: inout LogFile) {
    isInLine = tag == Self.partial
    if pending.isEmpty { return file.append(tag, last, count, goesOn: isInLine) }
    pending.append(contentsOf: UnsafeBufferPointer(start: last, count: count))
    pending.withUnsafeBufferPointer { file.append(tag, $0.baseAddress!, $0.count, goesOn: isInLine) }
    pending.removeAll(keepingCapacity: true)
  }
}

extension UnsafeBufferPointer<UInt8> {
  func slice(_ start: Int, _ end: Int) -> UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(rebasing: self[start..<end]) }
}
