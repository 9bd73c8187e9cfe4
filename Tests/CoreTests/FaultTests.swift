import Core
import Linux
import Testing

@Suite struct FaultTests {
  @Test func eachLayerPutsItsStageInFront() {
    let fault = Fault(.unavailable, "no such device").within(#"plugin "bridge" ADD"#).within("pod default/web: network")
    #expect(fault.message == #"pod default/web: network: plugin "bridge" ADD: no such device"#)
    #expect(fault.code == .unavailable)
    #expect((fault.cause as? Fault)?.message == "no such device")
  }

  @Test func aStageThatIsSaidAlreadyIsNotSaidTwice() {
    let fault = Fault(.notFound, "container c1: start: it is gone")
    #expect(fault.within("container c1").message == "container c1: start: it is gone")
    #expect(fault.within("container c").message == "container c: container c1: start: it is gone")
  }

  @Test func anErrorInsideAStageComesOutAsAFault() {
    let refused = #expect(throws: Fault.self) { try stage("reading") { throw SystemError(13, call: "open", object: "/secret") } }
    #expect(refused?.code == .permissionDenied)
    #expect(refused?.message.hasPrefix("reading: ") == true && refused?.message.contains("/secret") == true)
    let cancelled = #expect(throws: Fault.self) { try stage("waiting") { throw CancellationError() } }
    #expect(cancelled?.code == .cancelled)
  }

  @Test(arguments: [(2, Fault.Code.notFound), (17, .alreadyExists), (28, .resourceExhausted), (24, .resourceExhausted), (5, .internal)])
  func theKernelsRefusalHasItsCode(_ number: Int, _ code: Fault.Code) {
    #expect(Fault(SystemError(Int32(number), call: "open", object: "/x")).code == code)
  }
}

@Suite struct IdentifierTests {
  @Test func anIdentifierIsSixtyFourHexadecimalDigitsAndNeverTheSame() {
    let all = (0..<100).map { _ in Identifier.random() }
    #expect(Set(all).count == 100)
    #expect(all.allSatisfy { $0.utf8.count == 64 && $0.allSatisfy { "0123456789abcdef".contains($0) } })
  }
}
