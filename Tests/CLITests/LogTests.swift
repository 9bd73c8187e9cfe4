import Linux
import Support
import Testing

@testable import berth

@Suite struct LogTests {
  static func record(_ text: String, _ second: Int = 0, stream: String = "stdout", tag: String = "F") -> String {
    "2024-01-01T00:00:0\(second).000000000Z \(stream) \(tag) \(text)\n"
  }

  @Test(arguments: [
    ("1970-01-01T00:00:00Z", Int64(0)), ("2024-02-29T12:00:00.5Z", 1_709_208_000_500_000_000),
    ("2024-02-29T14:00:00.123456789+02:00", 1_709_208_000_123_456_789), ("2000-03-01T00:00:00-00:30", 951_870_600_000_000_000),
  ]) func timestampsAreNanoseconds(text: String, nanoseconds: Int64) { #expect(Timestamp.parse(text) == nanoseconds) }

  @Test(arguments: ["", "2024-01-01", "2024-13-01T00:00:00Z", "2024-01-01T00:00:00", "2024-01-01T00:00:00.Z", "2024-01-01T0x:00:00Z"])
  func whatIsNoTimestampIsRefused(text: String) { #expect(Timestamp.parse(text) == nil) }

  @Test func spansHaveAUnit() {
    #expect(Timestamp.span("5m") == 300_000_000_000)
    #expect(Timestamp.span("200000d") == nil)
    #expect(Timestamp.parse("9999-12-31T23:59:59Z") == .max)
    #expect(Timestamp.parse("0001-01-01T00:00:00Z") == .min)
    #expect(Timestamp.span("5") == nil)
    #expect(Timestamp.span("-5m") == nil)
    #expect(Timestamp.span("99999999999999999d") == nil)
  }

  @Test func partialRecordsHaveNoLineBreak() throws {
    let line = try #require(LogLine(record: Array(Self.record("a b  c", tag: "P").utf8.dropLast())[...]))
    #expect(line.stream == .stdout && line.partial)
    #expect(line.bytes == Array("a b  c".utf8))
    #expect(LogLine(record: Array("garbage".utf8)[...]) == nil)
    #expect(LogLine(record: Array(Self.record("", stream: "stdlog").utf8)[...]) == nil)
  }

  @Test func aRotatedFileIsReadToItsEndBeforeTheNewOneIsBegun() throws {
    try withScratch { directory in
      let path = directory + "/0.log"
      try Files.write(Self.record("one"), to: path)
      var log = try LogFile(path, tail: nil)
      #expect(try Self.texts(log.next()) == ["one"])
      try Self.append(Self.record("two"), path)
      try Files.move(path, to: path + ".1")
      #expect(try Self.texts(log.next()) == ["two"])
      #expect(try log.next().isEmpty)
      try Files.write(Self.record("three"), to: path)
      #expect(try Self.texts(log.next()) == ["three"])
    }
  }

  @Test func aFileThatWasCutShortIsReadFromItsBeginning() throws {
    try withScratch { directory in
      let path = directory + "/0.log"
      try Files.write(Self.record("long long ago"), to: path)
      var log = try LogFile(path, tail: nil)
      _ = try log.next()
      try Files.write(Self.record("now"), to: path)
      #expect(try Self.texts(log.next()) == ["now"])
    }
  }

  @Test func aRecordIsShownOnlyWhenItIsComplete() throws {
    try withScratch { directory in
      let path = directory + "/0.log"
      let record = Self.record("whole")
      try Files.write(String(record.prefix(20)), to: path)
      var log = try LogFile(path, tail: nil)
      #expect(try log.next().isEmpty)
      try Self.append(String(record.dropFirst(20)), path)
      #expect(try Self.texts(log.next()) == ["whole"])
    }
  }

  @Test(arguments: [(0, []), (1, ["c"]), (2, ["b", "c"]), (3, ["a", "b", "c"]), (9, ["a", "b", "c"])])
  func theTailIsTheLastLines(count: Int, texts: [String]) throws {
    try withScratch { directory in
      let path = directory + "/0.log"
      try Files.write(["a", "b", "c"].map { Self.record($0) }.joined(), to: path)
      var log = try LogFile(path, tail: count)
      #expect(try Self.texts(log.next()) == texts)
    }
  }

  @Test func theTailOfALargeFileIsFoundFromItsEnd() throws {
    try withScratch { directory in
      let path = directory + "/0.log"
      try Files.write((0..<5000).map { Self.record("line \($0)") }.joined(), to: path)
      var log = try LogFile(path, tail: 3000)
      var texts: [String] = []
      while case let lines = try log.next(), !lines.isEmpty { texts += Self.texts(lines) }
      #expect(texts.count == 3000 && texts.first == "line 2000" && texts.last == "line 4999")
    }
  }

  @Test func eachStreamGoesToItsOwn() throws {
    try withScratch { directory in
      let captured = try CapturedConsole(directory)
      let records = [Self.record("a"), Self.record("b", stream: "stderr"), Self.record("c", tag: "P"), Self.record("d", 1)]
      let lines = records.compactMap { LogLine(record: Array($0.utf8.dropLast())[...]) }
      var printer = LogPrinter(console: captured.console)
      printer.show(lines)
      #expect(captured.output == "a\ncd\n")
      #expect(captured.errorOutput == "b\n")
    }
  }

  @Test func recordsBeforeTheAskedTimeAreLeftOut() throws {
    try withScratch { directory in
      let captured = try CapturedConsole(directory)
      let lines = [Self.record("old", 1), Self.record("new", 2)].compactMap { LogLine(record: Array($0.utf8.dropLast())[...]) }
      var printer = LogPrinter(console: captured.console, since: lines[1].time)
      printer.show(lines)
      #expect(captured.output == "new\n")
    }
  }

  static func texts(_ lines: [LogLine]) -> [String] { lines.map { String(decoding: $0.content, as: UTF8.self) } }

  static func append(_ text: String, _ path: String) throws {
    try Files.write(try Files.read(path) + Array(text.utf8), to: path)
  }
}
