import CLinux
import Linux
import Support
import Testing

@Suite struct UnixSocketTests {
  @Test func aListenerThatTakesNobodyIsGivenUp() throws {
    try withScratch("socket") { scratch in
      let listener = try UnixSocket.listen(in: scratch, name: "s", backlog: 0)
      // There is room for one that nobody has taken.
      let waiting = try UnixSocket.connect(in: scratch, name: "s")
      let error = #expect(throws: SystemError.self) { _ = try UnixSocket.connect(in: scratch, name: "s", milliseconds: 50) }
      #expect(error?.number == ETIMEDOUT)
      #expect(waiting.raw >= 0 && listener.raw >= 0)
    }
  }
}
