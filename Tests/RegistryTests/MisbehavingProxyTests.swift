import Core
import Linux
import Logging
import NIOCore
import NIOPosix
import OCI
import Registry
import Support
import Testing

/// Between us and an honest registry there is something that is not.
@Suite(.serialized) struct MisbehavingProxyTests {
  private func pull(_ image: SampleImage, by options: RelayProxy.Options, _ check: (Result<[UInt8], any Error>, RelayProxy) -> Void)
    async throws
  {
    try await withLocalRegistry { registry in
      try registry.add(image)
      try await RelayProxy.with(options) { proxy in
        // 0.0.0.0 leads to this machine too, but is no loopback address, which no proxy would be asked for.
        let hosts = FixedHosts(list: [RegistryHost(scheme: .http, authority: "0.0.0.0:\(registry.port)")])
        let client = RegistryClient(
          hosts: hosts, group: .singletonMultiThreadedEventLoopGroup, environment: ["HTTP_PROXY=127.0.0.1:\(proxy.port)"],
          policy: .quick, logger: Logger(label: "test"))
        let result: Result<[UInt8], any Error>
        do { result = .success(try await client.bytes(image.descriptor, of: .test("r.example"))) } catch { result = .failure(error) }
        try await client.shutdown()
        check(result, proxy)
      }
    }
  }

  @Test func `every connection dropped after some bytes, the blob arrives whole and nothing much twice`() async throws {
    let image = SampleImage(layerSize: 22_000_000)
    var options = RelayProxy.Options()
    options.dropAfter = 5_000_000
    try await pull(image, by: options) { result, proxy in
      #expect((try? result.get()) == image.layer, "\(result.map { "\($0.count) bytes" })")
      // The heads of the responses come on top, and nothing else.
      #expect(proxy.relayed < image.layer.count + 10_000, "\(proxy.relayed) bytes for \(image.layer.count)")
      #expect(proxy.targets.count >= 5)
    }
  }

  @Test func `a byte that was changed on the way is delivered as it is, for the digest to find`() async throws {
    let image = SampleImage(layerSize: 2_000_000)
    var options = RelayProxy.Options()
    options.corruptAt = 1_000_000
    try await pull(image, by: options) { result, _ in
      let bytes = try? result.get()
      #expect(bytes?.count == image.layer.count && bytes != image.layer)
    }
  }
}
