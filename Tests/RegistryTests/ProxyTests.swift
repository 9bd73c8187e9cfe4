import Core
import Linux
import Logging
import NIOCore
import NIOPosix
import OCI
import Support
import Testing

@testable import Registry

@Suite(.serialized) struct ProxyTests {
  private func choice(_ address: String, _ environment: String...) throws -> String? {
    guard let address = WebAddress(address) else { throw Fault(.invalidArgument, "no address") }
    return try ProxySettings(environment: environment).proxy(for: address).map { "\($0.kind) \($0.host):\($0.port) \($0.basic ?? "")" }
  }

  @Test func `each scheme has its own variable, in either case`() throws {
    #expect(try choice("https://r.example/v2", "HTTPS_PROXY=http://p.example:3128") == "http p.example:3128 ")
    #expect(try choice("http://r.example/v2", "HTTPS_PROXY=http://p.example:3128") == nil)
    #expect(try choice("http://r.example/v2", "http_proxy=p.example") == "http p.example:80 ")
    #expect(try choice("https://r.example/v2", "https_proxy=https://p.example") == "https p.example:443 ")
    #expect(try choice("https://r.example/v2", "https_proxy=socks5://[2001:db8::1]") == "socks 2001:db8::1:1080 ")
    #expect(try choice("https://r.example/v2", "HTTPS_PROXY=", "https_proxy=b.example:1") == "http b.example:1 ")
  }

  @Test func `user and password of the address are sent to the proxy, escapes resolved`() throws {
    // printf 'us:er:p@ss' | base64
    #expect(try choice("https://r.example/", "HTTPS_PROXY=http://us%3Aer:p%40ss@p.example:8080/") == "http p.example:8080 dXM6ZXI6cEBzcw==")
    // printf 'user:' | base64
    #expect(try choice("https://r.example/", "HTTPS_PROXY=user@p.example:8080") == "http p.example:8080 dXNlcjo=")
  }

  @Test(arguments: [
    ("r.example", "r.example", true), ("a.r.example", "r.example", true), ("ar.example", "r.example", false),
    ("r.example", ".r.example", false), ("a.r.example", ".r.example", true), ("a.r.example", "*.r.example", true),
    ("r.example:5000", "r.example:5000", true), ("r.example:5001", "r.example:5000", false), ("r.example", "r.example:443", true),
    ("10.1.2.3", "10.0.0.0/8", true), ("11.1.2.3", "10.0.0.0/8", false), ("10.1.2.3:5000", "10.1.2.3", true),
    ("[2001:db8::5]:5000", "2001:db8::/32", true), ("[2001:db9::5]", "2001:db8::/32", false), ("[::ffff:10.0.0.1]", "10.0.0.0/31", true),
    ("R.Example", "other.example, r.EXAMPLE", true), ("anything.example", "*", true), ("r.example", "//,,/8,nonsense/x", false),
    ("localhost:5000", "", true), ("127.0.0.1:5000", "", true), ("[::1]:5000", "", true), ("128.0.0.1", "", false),
    ("a.localhost", "", false), ("r.example", "*.r.example:443", false), ("a.r.example", "*.r.example:443", true),
    ("a.r.example:5000", "*.r.example:443", false), ("10.1.2.3", "10.1.2.3:443", true), ("10.1.2.3:5000", "10.1.2.3:443", false),
    ("r.example", " r.example ,", true), ("r.example", ":443", false), ("r.example", "*,x", true),
    ("[2001:db8::5]:5000", "[2001:db8::5]", true),
    ("[2001:db8::5]", "[2001:db8::5]:443", true), ("10.0.0.1.example", "10.0.0.0/8", false),
  ])
  func `NO_PROXY names hosts, suffixes, addresses and networks`(host: String, exceptions: String, direct: Bool) throws {
    let proxy = try choice("https://\(host)/v2/", "HTTPS_PROXY=p.example:1", "NO_PROXY=\(exceptions)")
    #expect((proxy == nil) == direct, "\(host) with \(exceptions)")
  }

  @Test func `a variable that makes no sense is an error of the pull, and hides the password`() throws {
    for value in ["ftp://p.example", "http://", "http://user:secret@", "socks5://user:secret@p.example"] {
      let fault = #expect(throws: Fault.self) { try choice("https://r.example", "HTTPS_PROXY=\(value)") }
      #expect(fault?.code == .failedPrecondition)
      #expect(fault?.message.contains("HTTPS_PROXY") == true && fault?.message.contains("secret") == false, "\(fault?.message ?? "")")
    }
  }

  /// Loopback is never asked by a proxy, so the registry has a name here that only the proxy resolves: its own address behind another host name.
  @Test func `a pull goes through the proxy, with its password, and says so when that is refused`() async throws {
    let image = SampleImage()
    var options = RelayProxy.Options()
    options.authorization = "Basic dTpw"
    try await withLocalRegistry { registry in
      try registry.add(image)
      try await RelayProxy.with(options) { proxy in
        let hosts = FixedHosts(list: [Self.outside(registry)])
        let client = RegistryClient(
          hosts: hosts, group: .singletonMultiThreadedEventLoopGroup, environment: ["HTTP_PROXY=http://u:p@127.0.0.1:\(proxy.port)"],
          policy: .quick, logger: Logger(label: "test"))
        let bytes = try await client.bytes(image.descriptor, of: .test("r.example"))
        #expect(bytes == image.layer)
        #expect(proxy.targets == ["0.0.0.0:\(registry.port)"])
        try await client.shutdown()
        let refused = RegistryClient(
          hosts: hosts, group: .singletonMultiThreadedEventLoopGroup, environment: ["HTTP_PROXY=http://127.0.0.1:\(proxy.port)"],
          policy: .quick, logger: Logger(label: "test"))
        let fault = await fault { _ = try await refused.bytes(image.descriptor, of: .test("r.example")) }
        #expect(fault.message.contains("proxy"), "\(fault)")
        try await refused.shutdown()
      }
    }
  }

  /// 0.0.0.0 leads to this machine too, but is no loopback address.
  private static func outside(_ registry: LocalRegistry) -> RegistryHost {
    RegistryHost(scheme: .http, authority: "0.0.0.0:\(registry.port)")
  }
}
