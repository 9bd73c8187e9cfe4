import Linux
import Support
import Testing

@testable import berth

/// Logs whose older files lie beside the one of their name, as the kubelet leaves them: the youngest as it was, the others packed.
@Suite struct RotatedLogTests {
  private static let files = ["a b", "c d e", "f", "g h"]

  /// Files of a second each: packed, packed, plain, and the one of the name. `damage`: what becomes of the second one's bytes.
  private func withLog(damage: ([UInt8]) -> [UInt8] = { $0 }, _ body: (String) async throws -> Void) async throws {
    try await withScratch("rotated") { directory in
      let path = directory + "/0.log"
      try await make(path, damage)
      try await body(path)
    }
  }

  private func make(_ path: String, _ damage: ([UInt8]) -> [UInt8]) async throws {
    for (index, words) in Self.files.enumerated() {
      let text = Array(words.split(separator: " ").map { LogTests.record(String($0), index) }.joined().utf8)
      let old = "\(path).20261121-10000\(9 - index)"
      switch index {
      case 0: try Files.write(try await Packing.gzip.pack(text), to: old + ".gz")
      case 1: try Files.write(damage(try await Packing.gzip.pack(text)), to: old + ".gz")
      case 2: try Files.write(text, to: old)
      default: try Files.write(text, to: path)
      }
    }
    try Files.write("half packed", to: path + ".20261121-100007.gz.tmp")
  }

  private func texts(_ log: inout LogFile) throws -> String {
    var texts: [String] = []
    while case let lines = try log.next(), !lines.isEmpty { texts += LogTests.texts(lines) }
    return texts.joined(separator: " ")
  }

  @Test func `all files are read in the order of their records, whatever they are called`() async throws {
    try await withLog { path in
      var log = try LogFile(path, tail: nil)
      #expect(try texts(&log) == "a b c d e f g h")
      try LogTests.append(LogTests.record("i", 5), path)
      #expect(try texts(&log) == "i")
    }
  }

  @Test(arguments: 0...9) func `the tail goes back over as many files as it takes`(count: Int) async throws {
    try await withLog { path in
      var log = try LogFile(path, tail: count)
      #expect(try texts(&log) == "a b c d e f g h".split(separator: " ").suffix(count).joined(separator: " "))
    }
  }

  @Test func `files that had ended before the asked time are not read`() async throws {
    try await withLog { path in
      let second = { (number: Int) in try #require(LogLine(record: Array(LogTests.record("", number).utf8.dropLast())[...])).time }
      var log = try LogFile(path, tail: nil, since: second(1))
      #expect(try texts(&log) == "c d e f g h")
      var last = try LogFile(path, tail: nil, since: second(4))
      #expect(try texts(&last) == "f g h")
    }
  }

  @Test func `a file that is packed while it is followed is neither lost nor shown twice`() async throws {
    try await withLog { path in
      var log = try LogFile(path, tail: 1)
      #expect(try texts(&log) == "h")
      try LogTests.append(LogTests.record("i", 5), path)
      try Files.move(path, to: path + ".20261121-100001")
      #expect(try texts(&log) == "i")
      try Files.write(LogTests.record("j", 6), to: path)
      try await pack(path + ".20261121-100001", as: path + ".20261121-100001.gz")
      try await pack(path, as: path + ".20261121-100000.gz")
      try Files.write(LogTests.record("k", 7), to: path)
      #expect(try texts(&log) == "j k")
    }
  }

  @Test func `of a damaged file all that can be read is shown, and that it is damaged`() async throws {
    try await withLog {
      Array($0.dropLast(4))
    } _: { path in
      var log = try LogFile(path, tail: nil)
      #expect(try texts(&log) == "a b c d e [berth: the rest of 0.log.20261121-100008.gz is damaged] f g h")
    }
  }

  @Test func `a file that is damaged from its first record on is named, the others are shown`() async throws {
    try await withLog {
      Array($0.prefix(12))
    } _: { path in
      let name = "0.log.20261121-100008.gz"
      var log = try LogFile(path, tail: nil)
      #expect(log.unreadable == [name[...]])
      #expect(try texts(&log) == "a b f g h")
      #expect(try LogFile(path, tail: 2).unreadable.isEmpty)
      #expect(try LogFile(path, tail: 5).unreadable == [name[...]])
      #expect(try LogFile(path, tail: nil, since: .max).unreadable.isEmpty)
    }
  }

  private func pack(_ path: String, as packed: String) async throws {
    try Files.write(try await Packing.gzip.pack(try Files.read(path)), to: packed)
    try Files.remove(path)
  }
}
