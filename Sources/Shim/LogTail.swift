import CLinux

/// The last lines of a log file, as their container said them.
struct LogTail {
  /// A client's pipe holds no more.
  private static let reach = 512 << 10
  /// Bytes before a record's content.
  private static let header = 40

  private let path: Bytes
  private let count: Int
  private let wanted: (LogStream) -> Bool

  init(_ path: Bytes, count: Int, wanted: @escaping (LogStream) -> Bool) {
    self.path = path
    self.count = count
    self.wanted = wanted
  }

  func forEach(_ body: (LogStream, UnsafeBufferPointer<UInt8>) -> Void) {
    guard count > 0, let content = Files.read(path, last: Self.reach) else { return }
    content.withUnsafeBufferPointer { bytes in
      var position = start(bytes)
      while let end = Self.newline(bytes, position) {
        if let record = record(bytes, position, end) {
          body(record.stream, bytes.slice(record.content, record.isWhole ? end + 1 : end))
        }
        position = end + 1
      }
    }
    shim_trim_heap()
  }

  /// Behind the line before the wanted ones.
  private func start(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
    var missing = count
    var end = bytes.count - 1
    while end > 0 {
      var begin = end
      while begin > 0 && bytes[begin - 1] != 10 { begin -= 1 }
      if let record = record(bytes, begin, end), record.isWhole {
        if missing == 0 { return end + 1 }
        missing -= 1
      }
      end = begin - 1
    }
    return 0
  }

  private struct Record {
    let stream: LogStream
    let isWhole: Bool
    let content: Int
  }

  /// `<timestamp> <stream> <tag> <content>`; nil for a stream nobody wants, and for half a record where the reading began.
  private func record(_ bytes: UnsafeBufferPointer<UInt8>, _ begin: Int, _ end: Int) -> Record? {
    guard end - begin >= Self.header, bytes[begin + 30] == 32, bytes[begin + 37] == 32, bytes[begin + 39] == 32 else { return nil }
    let stream: LogStream = bytes[begin + 34] == 0x6f ? .stdout : .stderr
    guard wanted(stream) else { return nil }
    return Record(stream: stream, isWhole: bytes[begin + 38] == 70, content: begin + Self.header)
  }

  private static func newline(_ bytes: UnsafeBufferPointer<UInt8>, _ from: Int) -> Int? {
    guard let base = bytes.baseAddress, from < bytes.count, let found = memchr(base + from, 10, bytes.count - from) else { return nil }
    return UnsafeRawPointer(found) - UnsafeRawPointer(base)
  }
}
