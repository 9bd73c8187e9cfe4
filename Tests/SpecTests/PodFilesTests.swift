import CRIAPI
import Spec
import SwiftProtobuf
import Testing

struct PodFilesTests {
  private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  @Test func resolvConfIsThePodsOrElseTheHosts() {
    let dns = Runtime_V1_DNSConfig.with {
      $0.servers = ["10.0.0.10", "fd00::10"]
      $0.searches = ["a.svc", "svc"]
      $0.options = ["ndots:5", "edns0"]
    }
    let host = Array("nameserver 9.9.9.9\n".utf8)
    #expect(
      text(PodFiles.resolvConf(dns, host: host)) == "search a.svc svc\nnameserver 10.0.0.10\nnameserver fd00::10\noptions ndots:5 edns0\n")
    #expect(PodFiles.resolvConf(Runtime_V1_DNSConfig(), host: host) == host)
  }

  @Test func hostsNamesThePodAtItsAddresses() {
    let host = Array("1.2.3.4 other\n".utf8)
    let own = text(PodFiles.hosts(SpecFixture.sandbox, isHostNetwork: false, addresses: ["10.1.0.5"], host: host))
    #expect(own.hasPrefix("127.0.0.1\tlocalhost\n") && own.hasSuffix("10.1.0.5\tweb\n"))
    #expect(PodFiles.hosts(SpecFixture.sandbox, isHostNetwork: true, addresses: [], host: host) == host)
  }

  @Test func theHostnameFileIsOneLine() {
    #expect(text(PodFiles.hostname(SpecFixture.sandbox, ownUTS: true, host: "node")) == "web\n")
    #expect(text(PodFiles.hostname(SpecFixture.sandbox, ownUTS: false, host: "node")) == "node\n")
  }
}
