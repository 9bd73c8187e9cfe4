import Core
import Linux
import Testing

@testable import Spec

/// The annotation `userns-mode.crio.io`.
@Suite struct UserNamespaceModeTests {
  @Test func `a mode has the options that CRI-O knows`() throws {
    let plain = try UserNamespaceMode("auto")
    #expect(plain.kind == .auto && plain.size == 65_536 && plain.isModest)
    let full = try UserNamespaceMode("auto:size=5000;keep-id=true;uidmapping=0:1000:10,10:5000:1;gidmapping=7:8:9")
    #expect(full.size == 5000 && full.keepsIDs && !full.mapsToRoot && full.namesRanges && !full.isModest)
    #expect(full.users == [IDRange(inside: 0, outside: 1000, count: 10), IDRange(inside: 10, outside: 5000, count: 1)])
    #expect(full.groups == [IDRange(inside: 7, outside: 8, count: 9)])
    #expect(try UserNamespaceMode("private:gidmapping=0:9:1").groups.first?.outside == 9)
    #expect(try UserNamespaceMode("auto:map-to-root=true;keep-id=false").mapsToRoot)
    #expect(try UserNamespaceMode("host").kind == .host)
  }

  @Test(arguments: [
    ("keep-id", "there is no mode \"keep-id\""), ("auto:size", "\"size\" is not KEY=VALUE"), ("auto:size=0", "size: \"0\""),
    ("auto:size=-1", "no number of IDs"), ("auto:keep-id=true;map-to-root=true", "exclude each other"),
    ("auto:keep-id=yes", "neither true nor false"),
    ("private:size=5", "no option of private"), ("host:uidmapping=0:1:1", "no option of host"),
    ("auto:uidmapping=0:1", "is not CONTAINER:HOST:SIZE"),
    ("auto:uidmapping=0:1:2,1:9:2", "overlaps an earlier range"), ("private:uidmapping=0:4294967290:10", "end above"),
    ("auto:uidmapping=", "is not CONTAINER:HOST:SIZE"), ("auto:what=ever", "\"what\" is no option"),
  ])
  func `what means nothing is refused and says why`(_ text: String, _ words: String) {
    let fault = #expect(throws: Fault.self) { try UserNamespaceMode(text) }
    #expect(fault?.code == .invalidArgument && fault?.message.hasPrefix("annotations[\"userns-mode.crio.io\"]") == true)
    #expect(fault?.message.contains(words) == true, "\(fault?.message ?? "")")
  }
}
