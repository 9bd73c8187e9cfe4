import Core
import Linux
import Support
import Testing

@testable import Metadata

struct DamageTests {
  /// A file of some 60 pages, closed and with an empty log.
  private func filled(_ directory: String, records: Int = 1000) throws -> String {
    let path = directory + "/a.db"
    let store = try SQLiteStore(path, .volatile, logger: silent)
    for number in 0..<records { try store.put(.sandboxes, record("sandbox-\(number)")) }
    try store.put(.images, record("image"))
    return path
  }

  private func worksAfterwards(_ store: SQLiteStore) throws {
    try store.put(.leases, record("new"))
    #expect(try store.load(.leases).map(\.id) == ["new"])
    for kind in RecordKind.allCases { _ = try store.load(kind) }
  }

  @Test func aFileScribbledOnAnywhereOpensAndServes() throws {
    try withScratch { directory in
      let original = try Files.read(try filled(directory))
      var generator = SystemRandomNumberGenerator()
      for round in 0..<60 {
        let path = "\(directory)/\(round)/a.db"
        try Files.makeDirectories(Files.parent(of: path))
        try Files.write(original, to: path)
        let offset = round < 10 ? round * 10 : Int.random(in: 0..<original.count, using: &generator)
        let noise = (0..<Int.random(in: 1...5000, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
        try scribble(path, at: offset, noise)
        let store = try SQLiteStore(path, .volatile, logger: silent)
        try worksAfterwards(store)
        #expect(try store.load(.sandboxes).count <= 1001)
      }
    }
  }

  @Test func aFileCutAnywhereOpensAndServes() throws {
    try withScratch { directory in
      let original = try Files.read(try filled(directory))
      for round in 0..<30 {
        let path = "\(directory)/\(round)/a.db"
        try Files.makeDirectories(Files.parent(of: path))
        try Files.write(Array(original.prefix(round < 5 ? round : Int.random(in: 0..<original.count))), to: path)
        try worksAfterwards(try SQLiteStore(path, .volatile, logger: silent))
      }
    }
  }

  @Test func aDamagedFileIsSetAsideNumberedAndLoggedAndWhatCanBeReadIsKept() throws {
    try withScratch { directory in
      let path = try filled(directory)
      let size = try Files.read(path).count
      let journal = Journal()
      for round in 1...2 {
        try scribble(path, at: size - 8192, [UInt8](repeating: 0xa5, count: 4096))
        let store = try SQLiteStore(path, .volatile, logger: journal.logger)
        #expect(store.isNew)
        #expect(Files.exists("\(path).damaged-\(round)"))
        #expect(journal.messages.filter { $0.contains("set aside") }.count == round)
        let left = try store.load(.sandboxes).count
        #expect(left > 500 && left < 1000)
        if round == 1 { for number in 0..<1000 { try store.put(.sandboxes, record("sandbox-\(number)")) } }
      }
    }
  }

  @Test func whatIsNoDatabaseAtAllIsSetAside() throws {
    try withScratch { directory in
      let path = directory + "/a.db"
      try Files.write(String(repeating: "no database ", count: 1000), to: path)
      let store = try SQLiteStore(path, .volatile, logger: silent)
      #expect(store.isNew && Files.exists(path + ".damaged-1"))
      try worksAfterwards(store)
      try Files.makeDirectories(directory + "/directory.db")
      try worksAfterwards(try SQLiteStore(directory + "/directory.db", .volatile, logger: silent))
    }
  }

  @Test func aScribbledLogLosesOnlyItsEnd() throws {
    try withScratch { directory in
      let path = directory + "/a.db"
      let store = try SQLiteStore(path, .volatile, logger: silent)
      for number in 0..<100 { try store.put(.sandboxes, record("\(number)")) }
      let copy = directory + "/copy.db"
      try Files.write(try Files.read(path), to: copy)
      try Files.write(try Files.read(path + "-wal"), to: copy + "-wal")
      let size = try Files.read(copy + "-wal").count
      try scribble(copy + "-wal", at: size / 2, Array("scribble".utf8))
      let again = try SQLiteStore(copy, .volatile, logger: silent)
      let ids = try again.load(.sandboxes).map(\.id)
      #expect(ids == (0..<ids.count).map { "\($0)" } && ids.count < 100)
    }
  }

  @Test func aFileThatTurnsBadWhileOpenIsReplacedAndTheCallSucceeds() throws {
    try withScratch { directory in
      let path = directory + "/a.db"
      let journal = Journal()
      let store = try SQLiteStore(path, .volatile, logger: journal.logger)
      for number in 0..<3000 { try store.put(.sandboxes, record("\(number)")) }
      let size = try Files.read(path).count
      try scribbleInPlace(path, at: 4096, count: size - 4096)
      try scribbleInPlace(path + "-wal", at: 0, count: 4096)
      for number in 0..<3000 { try store.put(.sandboxes, record("\(number)")) }
      #expect(try store.load(.sandboxes).count == 3000)
    }
  }

  private func scribbleInPlace(_ path: String, at offset: Int, count: Int) throws {
    var bytes = try Files.read(path)
    for index in offset..<min(offset + count, bytes.count) { bytes[index] = 0xa5 }
    let file = try FileHandle.open(path, 1)
    try Files.write(bytes, to: file.raw, path)
  }
}
