import Core
import Linux
import Support
import Testing

@testable import Metadata

struct TroubleTests {
  @Test func aFileOnAReadOnlyFilesystemCanBeReadAndSaysWhyItCannotBeWritten() async throws {
    try await withScratch { directory in
      try await withTmpfs(directory + "/disk", size: "4m") { disk in
        do { try SQLiteStore(disk + "/a.db", .durable, logger: silent).put(.images, record("a")) }
        try Mounting.makeReadOnly(disk)
        let journal = Journal()
        let store = try SQLiteStore(disk + "/a.db", .durable, logger: journal.logger)
        #expect(try store.load(.images).map(\.id) == ["a"])
        let error = #expect(throws: SQLiteError.self) { try store.put(.images, record("b")) }
        #expect(error?.fault.code == .failedPrecondition)
        #expect(error?.description.contains("readonly") == true)
        #expect(journal.messages.contains { $0.contains("cannot be written") })
      }
    }
  }

  @Test func aFullDiskIsResourceExhaustedAndWorksAgainOnceThereIsSpace() async throws {
    try await withScratch { directory in
      try await withTmpfs(directory + "/disk", size: "400k") { disk in
        let store = try SQLiteStore(disk + "/a.db", .durable, logger: silent)
        try store.put(.images, record("a"))
        try fillUp(disk + "/ballast")
        let large = "\"" + String(repeating: "x", count: 60_000) + "\""
        let error = #expect(throws: SQLiteError.self) { for number in 0..<9 { try store.put(.images, record("\(number)", large)) } }
        #expect(error?.fault.code == .resourceExhausted)
        #expect(try store.load(.images).first?.id == "a")
        try Files.remove(disk + "/ballast")
        try store.put(.images, record("b"))
        #expect(try store.load(.images).last?.id == "b")
      }
    }
  }

  @Test func aDiskThatIsFullAtTheStartCostsNothingThatWasWritten() async throws {
    try await withScratch { directory in
      try await withTmpfs(directory + "/disk", size: "400k") { disk in
        do { try SQLiteStore(disk + "/a.db", .durable, logger: silent).put(.images, record("a")) }
        try fillUp(disk + "/ballast")
        #expect(throws: Fault.self) { try SQLiteStore(disk + "/a.db", .durable, logger: silent) }
        #expect(try Files.list(disk).filter { $0.contains("damaged") } == [])
        try Files.remove(disk + "/ballast")
        #expect(try SQLiteStore(disk + "/a.db", .durable, logger: silent).load(.images).map(\.id) == ["a"])
      }
    }
  }

  @Test func aDaemonThatEndedAfterSettingAFileAsideFindsWhatCanBeReadOfIt() throws {
    try withScratch { directory in
      let path = directory + "/a.db"
      do { try SQLiteStore(path, .durable, logger: silent).put(.images, record("a")) }
      for suffix in ["", "-wal"] where Files.exists(path + suffix) { try Files.move(path + suffix, to: path + ".damaged-1" + suffix) }
      let store = try SQLiteStore(path, .durable, logger: silent)
      #expect(store.isNew)
      #expect(try store.load(.images).map(\.id) == ["a"])
    }
  }

  /// The child acknowledges each put in a file of its own and is killed at a random moment.
  @Test func aDaemonKilledInTheMiddleOfAWriteLeavesAPrefixOfItsWrites() async throws {
    for round in 0..<5 {
      try await withScratch("kill") { directory in
        await #expect(processExitsWith: .signal(9)) { [directory = directory as String] in
          let store = try SQLiteStore(directory + "/a.db", .volatile, logger: silent)
          let acknowledged = try FileHandle.open(directory + "/acknowledged", Mounting.appendFlags)
          let delay = Duration.microseconds(Int.random(in: 1000...60_000))
          _ = try WorkerThread("killer") {
            Wakeup().wait(delay)
            Mounting.killSelf()
          }
          for number in 0... {
            try store.put(.sandboxes, record("\(number)"))
            try Files.write([1], to: acknowledged.raw, "acknowledged")
          }
        }
        let acknowledged = try Files.read(directory + "/acknowledged").count
        let journal = Journal()
        let ids = try SQLiteStore(directory + "/a.db", .volatile, logger: journal.logger).load(.sandboxes).map(\.id)
        #expect(ids == (0..<ids.count).map { "\($0)" })
        #expect(ids.count == acknowledged || ids.count == acknowledged + 1, "round \(round)")
        #expect(journal.messages.isEmpty)
      }
    }
  }
}
