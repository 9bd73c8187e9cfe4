import Linux

/// Prints records as the program wrote them, each stream to its own.
struct LogPrinter {
  let console: Console
  /// Nanoseconds since 1970; older records are left out, and so are those from `until` on.
  var since: Int64 = .min
  var until: Int64 = .max
  /// Each line begins with its time.
  var timestamps = false
  /// Streams in the middle of a line, which gets no second time.
  private var open: Set<LogLine.Stream> = []

  init(console: Console, since: Int64 = .min, until: Int64 = .max, timestamps: Bool = false) {
    self.console = console
    self.since = since
    self.until = until
    self.timestamps = timestamps
  }

  /// What cannot be shown is said.
  func complain(about unreadable: [Substring]) {
    for name in unreadable { console.complain("\(name) is damaged from its beginning on: nothing of it is shown") }
  }

  mutating func show(_ lines: [LogLine]) {
    var pending: [UInt8] = []
    var stream = LogLine.Stream.stdout
    for line in lines where line.time >= since && line.time < until {
      if line.stream != stream {
        flush(&pending, stream)
        stream = line.stream
      }
      if timestamps && !open.contains(stream) { pending += line.stamp + [UInt8(ascii: " ")] }
      if line.partial { open.insert(stream) } else { open.remove(stream) }
      pending += line.bytes
    }
    flush(&pending, stream)
  }

  /// Nothing that comes after these would be shown.
  func isPast(_ lines: [LogLine]) -> Bool { lines.last.map { $0.time >= until } ?? false }

  /// One write for a run of records of one stream.
  private func flush(_ pending: inout [UInt8], _ stream: LogLine.Stream) {
    if !pending.isEmpty { console.write(pending, to: stream == .stdout ? console.out : console.errors) }
    pending = []
  }
}
