import Core
import Linux
import Support
import Testing

@testable import Metadata

struct FollowingStoreTests {
  /// A fresh pair of stores and what follows between them; closed afterwards.
  private func withStore(_ directory: String, _ body: (FollowingStore, SQLiteStore) async throws -> Void) async throws {
    let volatile = try SQLiteStore(directory + "/run/runtime.db", .volatile, logger: silent)
    let durable = try SQLiteStore(directory + "/lib/metadata.db", .durable, logger: silent)
    let store = try FollowingStore(volatile: volatile, durable: durable, linger: .milliseconds(5), logger: silent)
    defer { store.close() }
    try await body(store, durable)
  }

  @Test func keepsTheContract() throws {
    try withScratch { directory in
      var stores: [FollowingStore] = []
      defer { for store in stores { store.close() } }
      try RecordStoreContract {
        let here = "\(directory)/\(stores.count)"
        let volatile = try SQLiteStore(here + "/runtime.db", .volatile, logger: silent)
        let durable = try SQLiteStore(here + "/metadata.db", .durable, logger: silent)
        stores.append(try FollowingStore(volatile: volatile, durable: durable, logger: silent))
        return stores[stores.count - 1]
      }.check()
    }
  }

  @Test func followedRecordsBecomeDurableAMomentLaterAndOthersAtOnce() async throws {
    try await withScratch { directory in
      try await withStore(directory) { store, durable in
        for number in 0..<600 { try store.put(.sandboxes, record("\(number)")) }
        for number in 0..<100 { try store.delete(.sandboxes, id: "\(number)") }
        try store.put(.images, record("image"))
        #expect(try durable.load(.images).map(\.id) == ["image"])
        try await store.flush()
        #expect(Set(try durable.load(.sandboxes).map(\.id)) == Set((100..<600).map { "\($0)" }))
        #expect(store.backlog == 0)
      }
    }
  }

  @Test func aFreshVolatileStoreRemembersWhatTheDurableOneKnows() async throws {
    try await withScratch { directory in
      try await withStore(directory) { store, _ in
        try store.put(.containers, record("c"))
        try await store.flush()
      }
      Scratch.remove(directory + "/run")
      try await withStore(directory) { store, _ in
        let records = try store.load(.containers)
        #expect(records == [record("c")])
      }
    }
  }

  @Test func aStoreThatWasKilledBeforeItFollowedCatchesUp() async throws {
    try await withScratch { directory in
      try await withStore(directory) { store, _ in
        for id in ["old", "kept"] { try store.put(.containers, record(id)) }
        try await store.flush()
      }
      do {
        let alone = try SQLiteStore(directory + "/run/runtime.db", .volatile, logger: silent)
        try alone.delete(.containers, id: "old")
        try alone.put(.containers, record("new"))
      }
      try await withStore(directory) { store, durable in
        #expect(Set(try store.load(.containers).map(\.id)) == ["kept", "new"], "what was deleted stays deleted")
        try await store.flush()
        #expect(Set(try durable.load(.containers).map(\.id)) == ["kept", "new"])
      }
    }
  }

  @Test func closingWritesWhatIsQueued() async throws {
    try await withScratch { directory in
      try await withStore(directory) { store, _ in try store.put(.containers, record("c")) }
      let durable = try SQLiteStore(directory + "/lib/metadata.db", .durable, logger: silent)
      #expect(try durable.load(.containers).count == 1)
    }
  }

  @Test func aFullDiskNeverReachesThePutAndIsMadeUpForOnceThereIsSpace() async throws {
    try await withScratch { directory in
      let volatile = try SQLiteStore(directory + "/runtime.db", .volatile, logger: silent)
      try await withTmpfs(directory + "/small", size: "400k") { small in
        let journal = Journal()
        let durable = try SQLiteStore(small + "/metadata.db", .durable, logger: silent)
        let store = try FollowingStore(volatile: volatile, durable: durable, linger: .milliseconds(5), logger: journal.logger)
        defer { store.close() }
        try fillUp(small + "/ballast")
        let large = "\"" + String(repeating: "x", count: 100_000) + "\""
        for number in 0..<4 { try store.put(.sandboxes, record("\(number)", large)) }
        await #expect(throws: SQLiteError.self) { try await store.flush() }
        #expect(try store.load(.sandboxes).count == 4)
        #expect(journal.messages.contains { $0.contains("not durable yet") && $0.contains("full") })
        for number in 0..<3 { try store.delete(.sandboxes, id: "\(number)") }
        try Files.remove(small + "/ballast")
        try await store.flush()
        #expect(try durable.load(.sandboxes).map(\.id) == ["3"])
      }
    }
  }

  @Test func theBacklogIsBoundedAndThenComparesEverything() {
    var backlog = WriteBacklog()
    for number in 0...WriteBacklog.limit { backlog.add(.init(kind: .sandboxes, id: "\(number)")) }
    #expect(backlog.count == 0 && !backlog.isEmpty)
    #expect(backlog.next() == .writeAll)
    backlog.putBack(.writeAll)
    #expect(backlog.next() == .writeAll)
    #expect(backlog.next() == .idle)
    backlog.add(.init(kind: .images, id: "a"))
    backlog.add(.init(kind: .images, id: "a"))
    #expect(backlog.next() == .write([.init(kind: .images, id: "a")]))
    #expect(backlog.isEmpty)
  }
}
