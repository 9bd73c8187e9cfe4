import Core
import Linux
import Settings
import Support
import Testing

@Suite struct ExecutablesTests {
  @Test func runcIsFoundWithoutConfiguration() throws {
    let runtimes = Configuration().runtimes
    #expect(try Executables.searchPath.map { "\($0)/runc" }.contains(runtimes.executable(of: "runc")))
    #expect(try runtimes.executable(of: "") == runtimes.executable(of: "runc"))
  }

  @Test func anUnknownHandlerIsNotFound() {
    let fault = #expect(throws: Fault.self) { try Configuration().runtimes.executable(of: "kata") }
    #expect(fault?.code == .notFound)
    #expect(fault?.message == "runtime \"kata\" is not configured (known: runc)")
  }

  @Test func aMissingProgramSaysWhatToDo() {
    var runtimes = Configuration().runtimes
    runtimes.handlers["no-such-runtime"] = .init()
    runtimes.handlers["elsewhere"] = .init(path: "/nonexistent/kata")
    let unfound = #expect(throws: Fault.self) { try runtimes.executable(of: "no-such-runtime") }
    #expect(unfound?.code == .failedPrecondition)
    #expect(unfound?.message.contains("install it or set [runtimes.no-such-runtime] path") == true)
    let wrong = #expect(throws: Fault.self) { try runtimes.executable(of: "elsewhere") }
    #expect(wrong?.message == "runtime \"elsewhere\": /nonexistent/kata is no executable file")
  }

  @Test func theShimIsLookedForBesideTheDaemonFirst() throws {
    try withScratch { scratch in
      var shim = Configuration().shim
      try Files.write("", to: "\(scratch)/berth-shim", mode: 0o755)
      #expect(try shim.executable(beside: scratch) == "\(scratch)/berth-shim")
      shim.path = "\(scratch)/other"
      #expect(throws: Fault.self) { try shim.executable(beside: scratch) }
      try Files.write("", to: "\(scratch)/other", mode: 0o755)
      #expect(try shim.executable(beside: "/") == "\(scratch)/other")
    }
  }
}
