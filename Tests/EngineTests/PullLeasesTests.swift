import Core
import Linux
import Logging
import OCI
import Support
import Testing

@testable import Engine

@Suite struct PullLeasesTests {
  private let store = MemoryRecords()
  private let layer = LayerID(.sha256(of: [1]))

  private func leases() throws -> PullLeases {
    let leases = PullLeases(store: store, logger: Logger(label: "test"))
    try leases.load()
    return leases
  }

  @Test func `a lease outlives the daemon and ends when it is dropped`() async throws {
    let reference = try ImageReference(parsing: "localhost/a:1")
    try await leases().take(reference, [layer])
    let later = try leases()
    #expect(later.layers() == [layer])
    #expect(try #require(await later.expire()) > .seconds(3500))
    #expect(await later.drop(reference))
    #expect(await !later.drop(reference))
    #expect(try leases().layers().isEmpty)
  }

  @Test func `a lease whose time is over keeps nothing and leaves no record`() async throws {
    let expired = #"{"layers":["\#(layer)"],"until":1}"#
    try store.put(.leases, StoredRecord(id: "localhost/old:1", json: Array(expired.utf8)))
    let leases = try leases()
    #expect(leases.layers().isEmpty)
    #expect(await leases.expire() == nil)
    #expect(try store.load(.leases).isEmpty)
  }

  @Test func `a damaged record is forgotten`() throws {
    try store.put(.leases, StoredRecord(id: "localhost/bad:1", json: Array("{".utf8)))
    #expect(try leases().layers().isEmpty)
    #expect(try store.load(.leases).isEmpty)
  }

  @Test func `layers are kept for another try only where that may help`() {
    #expect(PullLeases.isWorthKeeping(after: Fault(.unavailable, "down")))
    #expect(PullLeases.isWorthKeeping(after: Fault(.resourceExhausted, "429")))
    #expect(!PullLeases.isWorthKeeping(after: Fault(.invalidArgument, "..")))
    let full = SystemError(SystemError(0, call: "").noSpace, call: "write")
    #expect(!PullLeases.isWorthKeeping(after: Fault(full).within("layer").within("image")))
  }
}
