import Core
import Settings
import Testing

@Suite struct HostsFileTests {
  private func hosts(_ text: String, domain: String = "reg.example") throws -> [RegistryHost] {
    try HostsFile(Array(text.utf8), file: "hosts.toml", directory: "/certs.d/reg.example", domain: domain).hosts
  }

  private func complaint(_ text: String) -> String {
    do {
      _ = try hosts(text)
      return "none"
    } catch { return "\(error)" }
  }

  @Test func mirrorsKeepTheOrderOfTheFileAndTheServerIsLast() throws {
    let hosts = try hosts(
      """
      server = "https://upstream.example"
      [host."https://z.example"]
      [host."http://a.example:5000"]
      capabilities = ["pull"]
      [host."https://m.example/team/"]
      """)
    #expect(hosts.map(\.origin) == ["https://z.example", "http://a.example:5000", "https://m.example", "https://upstream.example"])
    #expect(hosts.map(\.isServer) == [false, false, false, true])
    #expect(hosts.map(\.apiPath) == ["/v2", "/v2", "/team/v2", "/v2"])
    #expect(hosts[1].capabilities == .pull)
    #expect(hosts[0].capabilities == .all)
  }

  @Test func theServerDefaultsToTheRegistryItself() throws {
    #expect(try hosts("").map(\.origin) == ["https://reg.example"])
    #expect(try hosts("", domain: "docker.io").map(\.origin) == ["https://registry-1.docker.io"])
    #expect(try hosts("", domain: "127.0.0.1:5000").map(\.origin) == ["http://127.0.0.1:5000"])
    #expect(try hosts("server = 'https://localhost:5000'", domain: "localhost:5000").map(\.origin) == ["https://localhost:5000"])
    #expect(try hosts("server = 'plain.example'").map(\.origin) == ["https://plain.example"])
  }

  @Test func theServersOwnSettingsStandAtTheTop() throws {
    let hosts = try hosts(
      """
      server = "https://reg.example"
      ca = "ca.pem"
      skip_verify = true
      capabilities = ["pull", "resolve"]
      [host."https://m.example"]
      [header]
      x-own = "1"
      """)
    #expect(hosts[1].tls.authorities == ["/certs.d/reg.example/ca.pem"])
    #expect(hosts[1].tls.skipVerify)
    #expect(hosts[1].capabilities == [.pull, .resolve])
    #expect(hosts[1].headers == [.init(name: "x-own", value: "1")])
    #expect(hosts[0].tls == .init())
  }

  @Test(arguments: [
    "[=x]", "[[)]", "[ .a]", "a = 1\n[\u{7f}]", "[", "[[", "[]", "[[]]", "[\"a\"=]", "[a.=]", "a = [[[", "[é]", "[a", "[#x]",
  ])
  func `a table without a key is refused, not the end of the process`(text: String) {
    #expect(throws: SettingsError.self) { try hosts(text) }
  }

  @Test func `brackets in arrays and strings are no tables`() throws {
    let text = "x = [\n [1],\n [-1, +2],\n [{a = 1}],\n[],\n['a'],\n]\ny = \"\"\"\n[=]\n\"\"\"\n['a b']\n[ \"c\" . d ]\n[-_1]\n[[t]]"
    #expect(try HostsFile(Array(text.utf8), file: "f", directory: "/d", domain: "r").unknownKeys == ["x", "y", "a b", "c", "-_1", "t"])
  }

  /// Whatever the bytes are: read or refused, quickly, and never with a path or header that does not come from them.
  @Test func `any bytes are read or refused`() {
    let good = Array(
      """
      server = "https://up.example/p"
      ca = ["a.pem"]
      [host."https://m.example:5000/x"]
      capabilities = ["pull", "resolve"]
      client = [["c.pem", "k.pem"]]
      dial_timeout = "3s"
      [host."https://m.example:5000/x".header]
      x-a = ["1", "2"]
      [host."https://m.example:5000/x".credentials]
      username = "u"
      password_file = "p"
      """.utf8)
    var random = SystemRandomNumberGenerator()
    for _ in 0..<5000 {
      var bytes = good
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        let at = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.remove(at: at)
        default: bytes.insert(contentsOf: bytes[at..<min(at + 20, bytes.count)], at: Int.random(in: 0..<bytes.count, using: &random))
        }
      }
      guard let file = try? HostsFile(bytes, file: "f", directory: "/d", domain: "reg.example") else { continue }
      #expect(!file.hosts.isEmpty && file.hosts.last?.isServer == true)
      for host in file.hosts {
        #expect(host.apiPath.utf8.allSatisfy { (33...126).contains($0) } && host.headers.allSatisfy { !$0.value.utf8.contains(10) })
      }
    }
  }

  @Test func `capabilities of a server that is not named mean nothing, as for containerd, and that is said`() throws {
    let file = try HostsFile(Array("capabilities = ['pull']".utf8), file: "hosts.toml", directory: "/d", domain: "reg.example")
    #expect(file.hosts.map(\.capabilities) == [.all])
    #expect(file.unknownKeys == ["capabilities (without server)"])
  }

  @Test func aHostCanSayEverything() throws {
    let host = try hosts(
      """
      [host."https://m.example/api/registry"]
      capabilities = ["Pull", "push", "referrers"]
      ca = ["/abs/ca.pem", "rel.pem"]
      client = [["cert.pem", "key.pem"], ["both.pem", ""]]
      skip_verify = false
      override_path = true
      dial_timeout = "1m2.5s"
      [host."https://m.example/api/registry".header]
      x-b = ["1", "2"]
      X-A = "3"
      """)[0]
    #expect(host.capabilities == [.pull, .push])
    #expect(host.apiPath == "/api/registry")
    #expect(host.tls.authorities == ["/abs/ca.pem", "/certs.d/reg.example/rel.pem"])
    #expect(
      host.tls.clients == [
        .init(certificate: "/certs.d/reg.example/cert.pem", key: "/certs.d/reg.example/key.pem"),
        .init(certificate: "/certs.d/reg.example/both.pem", key: nil),
      ])
    #expect(host.dialTimeout == .milliseconds(62_500))
    #expect(host.headers == [.init(name: "x-b", value: "1"), .init(name: "x-b", value: "2"), .init(name: "X-A", value: "3")])
  }

  @Test func clientCertificatesMayBeWrittenInThreeWays() throws {
    let one = RegistryHost.TLS.Client(certificate: "/a", key: nil)
    #expect(try hosts("client = \"/a\"").last?.tls.clients == [one])
    #expect(try hosts("client = [\"/a\", \"/b\"]").last?.tls.clients == [one, .init(certificate: "/b", key: nil)])
    #expect(try hosts("client = [[\"/a\", \"/k\"]]").last?.tls.clients == [.init(certificate: "/a", key: "/k")])
  }

  @Test func unknownKeysAreNamedNotRefused() throws {
    let text = "sevrer = 1\n[host.\"https://m.example\"]\ncapabilites = []"
    let file = try HostsFile(Array(text.utf8), file: "hosts.toml", directory: "/", domain: "reg.example")
    #expect(file.unknownKeys == ["host.https://m.example.capabilites", "sevrer"])
    #expect(file.hosts.count == 2)
  }

  @Test func badValuesAreRefusedWithTheirLine() {
    #expect(complaint("server = \"ftp://x\"") == "hosts.toml:1: \"server\" is not an http or https address: \"ftp://x\"")
    #expect(
      complaint("[host.\"https://user:secret@m.example\"]")
        == "hosts.toml:1: \"host.https://user:secret@m.example\" is not an http or https address")
    #expect(complaint("\ncapabilities = [\"pul\"]").hasPrefix("hosts.toml:2: \"capabilities\" has an unknown capability \"pul\""))
    #expect(complaint("capabilities = \"pull\"").contains("must be an array of strings"))
    #expect(complaint("ca = 1").contains("must be a string or an array of strings"))
    #expect(complaint("client = [[\"a\", \"b\", \"c\"]]").contains("[certificate, key] pairs"))
    #expect(complaint("client = []") == "none")
    #expect(complaint("client = 7").contains("[certificate, key] pairs"))
    #expect(complaint("skip_verify = \"yes\"").contains("must be true or false"))
    #expect(complaint("dial_timeout = \"soon\"").contains("is not a duration like \"3s\": \"soon\""))
    #expect(complaint("dial_timeout = \"-3s\"").contains("is not a duration"))
    #expect(complaint("[header]\nx = \"a\\r\\nEvil: 1\"") == "hosts.toml:2: \"header.x\" is not a valid header")
    #expect(complaint("[header]\n\"a b\" = \"c\"").contains("is not a valid header"))
    #expect(complaint("host = 3").contains("must be a table"))
  }
}
