import Core
import Linux
import Support
import Testing

@testable import Metadata

struct SQLiteStoreTests {
  @Test func theFakeKeepsTheContract() throws {
    try RecordStoreContract { MemoryRecords() }.check()
  }

  @Test(arguments: [Durability.volatile, .durable])
  func keepsTheContract(_ durability: Durability) throws {
    try withScratch { directory in
      var number = 0
      try RecordStoreContract {
        number += 1
        return try SQLiteStore("\(directory)/deep/er/\(number).db", durability, logger: silent)
      }.check()
    }
  }

  @Test func whatWasPutIsThereWhenOpenedAgain() throws {
    try withScratch { directory in
      let path = directory + "/a.db"
      do {
        let store = try SQLiteStore(path, .volatile, logger: silent)
        #expect(store.isNew)
        for number in 0..<1000 { try store.put(.sandboxes, record("s\(number)")) }
        try store.delete(.sandboxes, id: "s500")
      }
      let store = try SQLiteStore(path, .volatile, logger: silent)
      #expect(!store.isNew)
      #expect(try store.load(.sandboxes).map(\.id) == (0..<1000).filter { $0 != 500 }.map { "s\($0)" })
      #expect(try store.get(.sandboxes, id: "s7") == record("").json)
      #expect(try store.get(.sandboxes, id: "s500") == nil)
    }
  }

  @Test func aRecordThatIsNoJSONIsSkippedAndLoggedAndTheOthersStay() throws {
    try withScratch { directory in
      let path = directory + "/a.db"
      do {
        let store = try SQLiteStore(path, .durable, logger: silent)
        for id in ["a", "b", "c"] { try store.put(.images, record(id, #"{"id":"\#(id)"}"#)) }
      }
      let bytes = try Files.read(path)
      let needle = Array(#"{"id":"b"}"#.utf8)
      let offset = try #require((0..<bytes.count - needle.count).first { Array(bytes[$0..<$0 + needle.count]) == needle })
      try scribble(path, at: offset, Array("######".utf8))
      let journal = Journal()
      let store = try SQLiteStore(path, .durable, logger: journal.logger)
      #expect(!store.isNew, "one bad record is not a bad file")
      #expect(try store.load(.images).map(\.id) == ["a", "c"])
      #expect(journal.messages.contains { $0.contains("skipped") && $0.contains("b") && $0.contains("images") })
      try store.put(.images, record("b"))
      #expect(try store.load(.images).count == 3)
    }
  }

  @Test func severalChangesAreAllOrNone() throws {
    try withScratch { directory in
      let store = try SQLiteStore(directory + "/a.db", .durable, logger: silent)
      let good = Change(key: .init(kind: .images, id: "a"), json: Array("{}".utf8))
      let bad = Change(key: .init(kind: .images, id: "b"), json: Array("{".utf8))
      #expect(throws: SQLiteError.self) { try store.apply([good, bad]) }
      #expect(try store.load(.images).isEmpty)
      try store.apply([good])
      #expect(try store.load(.images).count == 1)
    }
  }

  @Test func manyThreadsAtOnceLoseNothing() async throws {
    try await withScratch { directory in
      let store = try SQLiteStore(directory + "/a.db", .volatile, logger: silent)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for task in 0..<16 {
          group.addTask {
            for number in 0..<100 {
              try store.put(.containers, record("\(task)-\(number)"))
              if number % 2 == 1 { try store.delete(.containers, id: "\(task)-\(number - 1)") }
              if number % 25 == 0 { _ = try store.load(.containers) }
            }
          }
        }
        try await group.waitForAll()
      }
      #expect(try store.load(.containers).count == 16 * 50)
    }
  }

  @Test func aReaderOfTheFileKeepsNoWriterWaiting() throws {
    try withScratch { directory in
      let path = directory + "/a.db"
      let store = try SQLiteStore(path, .volatile, logger: silent)
      try store.put(.images, record("a"))
      var reader = try Database(path)
      try reader.execute("BEGIN")
      try reader.run("SELECT count(*) FROM images")
      let clock = ContinuousClock()
      let time = try clock.measure { for number in 0..<100 { try store.put(.images, record("n\(number)")) } }
      #expect(time < .seconds(1))
      try reader.execute("COMMIT")
    }
  }
}
