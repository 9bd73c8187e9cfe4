import CRIAPI
import SwiftProtobuf
import Testing

@testable import berth

@Suite struct LookupTests {
  static func container(_ id: String, _ name: String, pod: String = "p", createdAt: Int64 = 0) -> Subject {
    .container(.with { ($0.id, $0.metadata.name, $0.podSandboxID, $0.createdAt) = (id, name, pod, createdAt) })
  }

  @Test func anIdBeatsANameAndANameBeatsTheBeginningOfAnId() throws {
    let lookup = Lookup(subjects: [Self.container("abc", "x"), Self.container("abcd", "abc"), Self.container("x9", "y")])
    #expect(try lookup.find("abc", what: "container").id == "abc")
    #expect(try lookup.find("x", what: "container").id == "abc")
    #expect(try lookup.find("abcd", what: "container").id == "abcd")
    #expect(try lookup.find("x9", what: "container").id == "x9")
  }

  @Test func theLastAttemptOfAContainerIsMeant() throws {
    let lookup = Lookup(subjects: [Self.container("a", "web", createdAt: 2), Self.container("b", "web", createdAt: 1)])
    #expect(try lookup.find("web", what: "container").id == "a")
  }

  @Test func whatFitsSeveralIsRefusedWithTheirNames() {
    let lookup = Lookup(subjects: [Self.container("ab1", "web", pod: "p"), Self.container("ab2", "db", pod: "q")])
    #expect(throws: Failure("'ab' fits container ab1 (web), container ab2 (db): give more of the ID")) {
      try lookup.find("ab", what: "container")
    }
  }

  @Test func whatFitsNothingIsRefused() {
    #expect(throws: Failure("no pod 'zz': neither a name nor the beginning of an ID")) { try Lookup(subjects: []).find("zz", what: "pod") }
    #expect(throws: Failure.self) { try Lookup(subjects: [Self.container("a", "b")]).find("", what: "pod") }
  }
}
