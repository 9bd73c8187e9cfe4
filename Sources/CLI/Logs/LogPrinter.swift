import Linux

/// Prints records as the program wrote them, each stream to its own.
struct LogPrinter {
  let console: Console
  /// Nanoseconds since 1970; older records are left out.
  var since: Int64 = .min

  func show(_ lines: [LogLine]) {
    var pending: [UInt8] = []
    var stream = LogLine.Stream.stdout
    for line in lines where line.time >= since {
      if line.stream != stream {
        flush(&pending, stream)
        stream = line.stream
      }
      pending += line.bytes
    }
    flush(&pending, stream)
  }

  /// One write for a run of records of one stream.
  private func flush(_ pending: inout [UInt8], _ stream: LogLine.Stream) {
    if !pending.isEmpty { console.write(pending, to: stream == .stdout ? console.out : console.errors) }
    pending = []
  }
}
