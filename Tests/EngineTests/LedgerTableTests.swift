import Core
import Testing

@testable import Engine

@Suite struct LedgerTableTests {
  private struct Record: LedgerRecord {
    static let noun = "thing"
    let id: String
    let createdAt: Int64
  }

  private func table(_ records: [(String, Int64)]) -> LedgerTable<Record> {
    var table = LedgerTable<Record>()
    for (id, time) in records { _ = table.set(Record(id: id, createdAt: time)) }
    return table
  }

  @Test func `A view has the newest first and stays the same until something changes`() {
    var table = table([("a", 1), ("c", 3), ("b", 3)])
    let first = table.view()
    #expect(first.entries.map(\.record.id) == ["c", "b", "a"])
    #expect(table.view() === first)
    _ = table.set(Record(id: "d", createdAt: 2))
    let second = table.view()
    #expect(second !== first && second.entries.map(\.record.id) == ["c", "b", "d", "a"])
    #expect(table.remove("c")?.record.id == "c")
    #expect(table.view().entries.map(\.record.id) == ["b", "d", "a"])
    #expect(first.entries.count == 3)
  }

  @Test func `What does not change keeps its entry`() {
    var table = table([("a", 1), ("b", 2)])
    let before = table.view().entries[1]
    _ = table.set(Record(id: "b", createdAt: 2))
    #expect(table.view().entries[1] === before)
  }

  @Test func `A prefix finds one, is refused where several fit, and says what is missing`() throws {
    let table = table([("abc", 1), ("abd", 2), ("ab", 3)])
    #expect(try table.find("abc").record.id == "abc")
    #expect(try table.find("ab").record.id == "ab")
    for (id, failure) in [
      ("a", "thing a: 3 IDs begin like this"), ("x", "thing x: not found"), ("", "thing: the ID is empty"),
    ] {
      let fault = #expect(throws: Fault.self) { try table.find(id) }
      #expect(fault?.message == failure)
    }
    #expect(throws: Fault.self) { try table.get("a") }
  }
}
