import CRIAPI
import Testing

@testable import Engine

@Suite struct ProtocolTests {
  @Test func `a host port's protocol has the name that CNI knows`() {
    #expect([Runtime_V1_Protocol.tcp, .udp, .sctp].map(\.cniName) == ["tcp", "udp", "sctp"])
  }
}
