/// One line of a CRI log file: `2016-10-06T00:17:09.669794202Z stdout P first part`.
struct LogLine: Equatable {
  enum Stream: String { case stdout, stderr }

  /// Nanoseconds since 1970.
  let time: Int64
  /// The same as it is in the file.
  let stamp: ArraySlice<UInt8>
  let stream: Stream
  /// The program's line goes on in this stream's next record (tag P).
  let partial: Bool
  let content: ArraySlice<UInt8>

  /// What the program wrote: with its line break, unless the line goes on.
  var bytes: [UInt8] { partial ? Array(content) : content + [UInt8(ascii: "\n")] }

  /// `record`: without its line break. Nil for what is no record, as a crash may leave behind.
  init?(record: ArraySlice<UInt8>) {
    let fields = record.split(separator: UInt8(ascii: " "), maxSplits: 3, omittingEmptySubsequences: false)
    guard fields.count == 4, let time = Timestamp.parse(String(decoding: fields[0], as: UTF8.self)),
      let stream = Stream(rawValue: String(decoding: fields[1], as: UTF8.self))
    else { return nil }
    self.time = time
    stamp = fields[0]
    self.stream = stream
    // Tags are separated by colons; the first one is P or F.
    partial = fields[2].first == UInt8(ascii: "P")
    content = fields[3]
  }
}
