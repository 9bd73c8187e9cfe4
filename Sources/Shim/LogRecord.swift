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

/// `2026-01-02T03:04:05.000000006Z`; the second's text is kept, since most records share it with the one before.
struct LogClock {
  private var second: Int64 = -1
  private var text = Bytes()

  mutating func timestamp(_ nanoseconds: Int64) -> Bytes {
    let now = nanoseconds / 1_000_000_000
    if now != second {
      second = now
      text = Self.format(now)
    }
    return text + Self.digits(nanoseconds % 1_000_000_000, 9) + [90]
  }

  private static func format(_ second: Int64) -> Bytes {
    var seconds = time_t(second)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    let date = digits(Int64(parts.tm_year) + 1900, 4) + [45] + digits(Int64(parts.tm_mon) + 1, 2) + [45] + digits(Int64(parts.tm_mday), 2)
    let time = digits(Int64(parts.tm_hour), 2) + [58] + digits(Int64(parts.tm_min), 2) + [58] + digits(Int64(parts.tm_sec), 2)
    return date + [84] + time + [46]
  }

  private static func digits(_ number: Int64, _ width: Int) -> Bytes {
    var result = Bytes(repeating: 48, count: width)
    var rest = number
    for index in stride(from: width - 1, through: 0, by: -1) {
      result[index] = 48 + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
    return result
  }
}

/// Cuts one stream's bytes into records: a line is a record tagged F; a line of more than 16 KiB comes in pieces of which all but the last
/// are tagged P. What stands without a newline waits, and is a record of its own (F) when the stream ends.
struct LogLines {
  static let limit = 16 << 10

  let stream: LogStream
  private var pending = Bytes()

  init(_ stream: LogStream) { self.stream = stream }

  /// Calls `emit` with every record that `chunk` completes.
  mutating func take(_ chunk: UnsafeBufferPointer<UInt8>, _ emit: (_ tag: UInt8, UnsafeBufferPointer<UInt8>) -> Void) {
    var rest = chunk
    while let base = rest.baseAddress, rest.count > 0 {
      let room = Self.limit - pending.count
      if let newline = memchr(base, 10, min(rest.count, room + 1)) {
        let length = UnsafeRawPointer(newline) - UnsafeRawPointer(base)
        complete(70, rest.slice(0, length), emit)
        rest = rest.slice(length + 1, rest.count)
      } else if rest.count > room {
        complete(80, rest.slice(0, room), emit)
        rest = rest.slice(room, rest.count)
      } else {
        pending.append(contentsOf: rest)
        return
      }
    }
  }

  /// What stands without a newline so far.
  func withPending(_ body: (UnsafeBufferPointer<UInt8>) -> Void) { if !pending.isEmpty { pending.withUnsafeBufferPointer { body($0) } } }

  /// At the stream's end.
  mutating func finish(_ emit: (_ tag: UInt8, UnsafeBufferPointer<UInt8>) -> Void) {
    if !pending.isEmpty { complete(70, UnsafeBufferPointer(start: nil, count: 0), emit) }
  }

  private mutating func complete(
    _ tag: UInt8, _ last: UnsafeBufferPointer<UInt8>, _ emit: (_ tag: UInt8, UnsafeBufferPointer<UInt8>) -> Void
  ) {
    if pending.isEmpty { return emit(tag, last) }
    pending.append(contentsOf: last)
    pending.withUnsafeBufferPointer { emit(tag, $0) }
    pending = []
  }
}

extension UnsafeBufferPointer<UInt8> {
  func slice(_ start: Int, _ end: Int) -> UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(rebasing: self[start..<end]) }
}
