import Core
import Linux
import Logging
import NIOCore
import NIOPosix
import OCI
import Support
import Testing

@testable import Registry

/// Proxies that are themselves reached by TLS.
@Suite(.serialized) struct SecureProxyTests {
  private let image = SampleImage(layerSize: 12_000_000)

  private var policy: TransferPolicy {
    var policy = TransferPolicy.quick
    (policy.attempts, policy.dialTimeout) = (2, .seconds(1))
    return policy
  }

  /// A client that goes to the registry by `proxy`, and what it got. Nothing stays open afterwards.
  private func pull(
    _ scratch: String, by options: RelayProxy.Options, user: String = "", host: String = "127.0.0.1", trusting authority: TestAuthority?,
    _ check: (Result<[UInt8], any Error>, RelayProxy) -> Void
  ) async throws {
    try await withLocalRegistry { registry in
      try registry.add(image)
      try await RelayProxy.with(options) { proxy in
        let environment =
          ["HTTP_PROXY=https://\(user)\(host):\(proxy.port)"] + (authority.map { ["SSL_CERT_FILE=\($0.certificate)"] } ?? [])
        let before = try OpenDescriptors.count()
        let client = RegistryClient(
          hosts: FixedHosts(list: [RegistryHost(scheme: .http, authority: "0.0.0.0:\(registry.port)")]),
          group: .singletonMultiThreadedEventLoopGroup, environment: environment, policy: policy, logger: Logger(label: "test"))
        let result: Result<[UInt8], any Error>
        do { result = .success(try await client.bytes(image.descriptor, of: .test("r.example"))) } catch { result = .failure(error) }
        try await client.shutdown()
        // The proxy closes its side of them, too.
        #expect(try await OpenDescriptors.settle(at: before) <= before)
        check(result, proxy)
      }
    }
  }

  private func options(_ scratch: String) async throws -> (RelayProxy.Options, TestAuthority) {
    let authority = try await TestAuthority(in: scratch)
    var options = RelayProxy.Options()
    options.identity = try await authority.issue("proxy")
    return (options, authority)
  }

  private func fault(_ result: Result<[UInt8], any Error>) -> Fault {
    switch result {
    case .success(let bytes): Fault(.unknown, "it gave \(bytes.count) bytes")
    case .failure(let error): Fault(error)
    }
  }

  @Test func `a pull goes through it, with its password`() async throws {
    try await withScratch("proxy") { scratch in
      var (options, authority) = try await options(scratch)
      options.authorization = "Basic dTpw"
      try await pull(scratch, by: options, user: "u:p@", trusting: authority) { result, proxy in
        #expect((try? result.get()) == image.layer, "\(fault(result))")
        #expect(proxy.targets.count == 1)
      }
    }
  }

  @Test(arguments: [false, true]) func `connections that it drops or resets lose nothing that had come`(resets: Bool) async throws {
    try await withScratch("proxy") { scratch in
      var (options, authority) = try await options(scratch)
      (options.dropAfter, options.resets) = (5_000_000, resets)
      try await pull(scratch, by: options, trusting: authority) { result, proxy in
        #expect((try? result.get()) == image.layer, "\(fault(result))")
        #expect(proxy.targets.count == 3 && proxy.relayed < image.layer.count + 10_000, "\(proxy.relayed) in \(proxy.targets)")
      }
    }
  }

  @Test func `what goes wrong is said with its stage, and without the password`() async throws {
    try await withScratch("proxy") { scratch in
      let (secure, authority) = try await options(scratch)
      var strange = secure
      strange.identity = try await authority.issue("other", alternatives: "DNS:other.example")
      var wanting = secure
      wanting.authorization = "Basic dTpw"
      var refusing = secure
      refusing.refusal = "403 Not from here"
      let cases: [(RelayProxy.Options, String, TestAuthority?, [String])] = [
        (wanting, "127.0.0.1", authority, ["CONNECT 0.0.0.0:", "it wants other credentials (407)"]),
        (refusing, "127.0.0.1", authority, ["CONNECT 0.0.0.0:", "403 Not from here"]),
        (secure, "127.0.0.1", nil, ["TLS: the host's certificate is not signed by a trusted authority"]),
        (strange, "localhost", authority, ["TLS: the host's certificate is for other.example, not for localhost"]),
        (RelayProxy.Options(), "127.0.0.1", authority, ["CONNECT 0.0.0.0:", "not done after 0.9 seconds"]),
      ]
      for (options, host, trusted, words) in cases {
        try await pull(scratch, by: options, user: "u:secret@", host: host, trusting: trusted) { result, _ in
          let fault = fault(result)
          for word in words + ["proxy https://\(host):"] { #expect(fault.message.contains(word), "\(word) is not in: \(fault)") }
          #expect(!fault.message.contains("secret"))
        }
      }
    }
  }

  @Test func `where nothing listens, that is said`() async throws {
    let port = try await Loopback.freePort()
    let client = RegistryClient(
      hosts: FixedHosts(list: [RegistryHost(scheme: .http, authority: "r.example")]), group: .singletonMultiThreadedEventLoopGroup,
      environment: ["HTTP_PROXY=https://127.0.0.1:\(port)"], policy: .quick, logger: Logger(label: "test"))
    let fault = await RegistryTests.fault { _ = try await client.bytes(image.descriptor, of: .test("r.example")) }
    #expect(fault.message.contains("proxy https://127.0.0.1:\(port): connect 127.0.0.1:\(port): Connection refused"), "\(fault)")
    try await client.shutdown()
  }

  @Test(arguments: [
    ("CONNECT R.example:443 HTTP/1.1", "r.example:443"), ("CONNECT [2001:db8::1]:5000 HTTP/1.1", "[2001:db8::1]:5000"),
    ("CONNECT 2001:db8::1:5000 HTTP/1.1", "[2001:db8::1]:5000"), ("GET r.example:443 HTTP/1.1", nil), ("CONNECT r.example HTTP/1.1", nil),
    ("CONNECT r.example:0x1 HTTP/1.1", nil), ("CONNECT a/b:1 HTTP/1.1", nil), ("CONNECT :1 HTTP/1.1", nil), ("", nil),
  ])
  func `a tunnel's target is a host and a port, and nothing else`(line: String, target: String?) {
    #expect(TunnelTarget(request: line)?.text == target)
  }

  @Test func `the door opens for nobody who does not know its secret`() async throws {
    let group = MultiThreadedEventLoopGroup.singleton
    let doors = ProxyDoors(group: group, authorities: [])
    let proxy = ProxySettings.Proxy(kind: .https, host: "127.0.0.1", port: 1, basic: "dTpw")
    let door = try #require(
      try await doors.door(
        for: Connections.Kind(dialTimeout: .seconds(5), proxy: proxy, target: WebAddress(scheme: .https, authority: "r.example", path: "/"))
      ))
    for authorization in ["", "Proxy-Authorization: Basic dTpw\r\n"] {
      let client = try await ClientBootstrap(group: group).connect(host: "127.0.0.1", port: door.port) { channel in
        channel.eventLoop.makeCompletedFuture { try ProxyDialer.Pipe(wrappingChannelSynchronously: channel) }
      }
      try await client.executeThenClose { answers, questions in
        try await questions.write(ByteBuffer(string: "CONNECT r.example:443 HTTP/1.1\r\n\(authorization)\r\n"))
        var text = ""
        for try await bytes in answers { text += String(buffer: bytes) }
        #expect(text.hasPrefix("HTTP/1.1 407 "))
      }
    }
    await doors.close()
  }
}
