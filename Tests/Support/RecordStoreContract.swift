package import Core
import Testing

/// What every ``RecordStore`` does, fakes included. `make` gives an empty store each time.
package struct RecordStoreContract {
  private let make: () throws -> any RecordStore

  package init(_ make: @escaping () throws -> any RecordStore) { self.make = make }

  package func check() throws {
    try keepsWhatWasPut()
    try keepsKindsApart()
    try deletesWithoutComplaint()
    try refusesWhatIsNoJSON()
    try keepsTextAsItIs()
  }

  private func record(_ id: String, _ json: String = "{}") -> StoredRecord { StoredRecord(id: id, json: Array(json.utf8)) }

  private func keepsWhatWasPut() throws {
    let store = try make()
    #expect(try store.load(.sandboxes).isEmpty)
    try store.put(.sandboxes, record("b"))
    try store.put(.sandboxes, record("a"))
    try store.put(.sandboxes, record("b", #"{"n":2}"#))
    #expect(try store.load(.sandboxes) == [record("b", #"{"n":2}"#), record("a")], "in the order of their making, last value wins")
  }

  private func keepsKindsApart() throws {
    let store = try make()
    for kind in RecordKind.allCases { try store.put(kind, record("same", #"{"kind":"\#(kind)"}"#)) }
    for kind in RecordKind.allCases { #expect(try store.load(kind) == [record("same", #"{"kind":"\#(kind)"}"#)]) }
  }

  private func deletesWithoutComplaint() throws {
    let store = try make()
    try store.put(.images, record("a"))
    try store.delete(.images, id: "a")
    try store.delete(.images, id: "a")
    try store.delete(.images, id: "never")
    #expect(try store.load(.images).isEmpty)
  }

  private func refusesWhatIsNoJSON() throws {
    let store = try make()
    for json in ["", "no json", "{"] { #expect(throws: (any Error).self) { try store.put(.leases, record("a", json)) } }
    #expect(try store.load(.leases).isEmpty)
  }

  private func keepsTextAsItIs() throws {
    let store = try make()
    let odd = StoredRecord(
      id: "sha256:'\";--\n\u{1F6A2}", json: Array(#"{ "a" : "\u0000 \#u{1F6A2} é" , "n": 12345678901234567890 }"#.utf8))
    try store.put(.layers, odd)
    let large = record("large", "[\"" + String(repeating: "x", count: 3 << 20) + "\"]")
    try store.put(.layers, large)
    #expect(try store.load(.layers) == [odd, large])
  }
}
