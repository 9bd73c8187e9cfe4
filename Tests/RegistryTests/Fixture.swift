import Core
import Linux
import Logging
import NIOCore
import NIOPosix
import OCI
import Registry
import Support
import Testing

/// Hosts as a test wants them.
struct FixedHosts: RegistryHostsResolver {
  let list: [RegistryHost]
  func hosts(for domain: String) -> [RegistryHost] { list }
}

extension TransferPolicy {
  /// Patient enough to be right, quick enough for tests.
  static var quick: TransferPolicy {
    var policy = TransferPolicy()
    policy.backoffBase = .milliseconds(2)
    policy.backoffCap = .milliseconds(20)
    policy.responseTimeout = .seconds(10)
    policy.dialTimeout = .seconds(5)
    return policy
  }
}

/// What a process opens once and keeps (event loops, the resolver) is opened before anything is counted.
private let warmUp = Task {
  let client = RegistryClient(
    hosts: DefaultRegistryHosts(), group: .singletonMultiThreadedEventLoopGroup, policy: .quick, logger: Logger(label: "test"))
  for _ in 0..<4 { _ = try? await client.manifest(.test("localhost:1"), credentials: nil) }
  try await client.shutdown()
}

/// A client for one test; afterwards every descriptor it opened is closed.
func withClient<T>(
  _ hosts: any RegistryHostsResolver = DefaultRegistryHosts(), policy: TransferPolicy = .quick, logger: Logger = Logger(label: "test"),
  isolation: isolated (any Actor)? = #isolation,
  _ body: (RegistryClient) async throws -> T
) async throws -> T {
  let group = MultiThreadedEventLoopGroup.singleton
  try await warmUp.value
  let before = try OpenDescriptors.count()
  let client = RegistryClient(hosts: hosts, group: group, policy: policy, logger: logger)
  let result: Result<T, any Error>
  do { result = .success(try await body(client)) } catch { result = .failure(error) }
  try await client.shutdown()
  #expect(try await OpenDescriptors.settle(at: before) <= before, "no descriptor is left open")
  return try result.get()
}

/// An image of one layer, and what names it.
struct SampleImage: Sendable {
  let layer: [UInt8]
  let manifest: [UInt8]
  let descriptor: Descriptor

  init(layerSize: Int = 1_000_003) {
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    var bytes: [UInt8] = []
    bytes.reserveCapacity(layerSize + 8)
    while bytes.count < layerSize {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      withUnsafeBytes(of: state) { bytes.append(contentsOf: $0) }
    }
    bytes.removeLast(bytes.count - layerSize)
    layer = bytes
    descriptor = Descriptor(mediaType: MediaType.ociLayer, digest: .sha256(of: bytes), size: Int64(layerSize))
    manifest = Array(
      """
      {"schemaVersion":2,"mediaType":"\(MediaType.ociManifest)","config":{"mediaType":"\(MediaType.ociConfig)","digest":"\(Digest.sha256(of: []))",\
      "size":0},"layers":[{"mediaType":"\(MediaType.ociLayer)","digest":"\(descriptor.digest)","size":\(layerSize)}]}
      """.utf8)
  }

  var digest: Digest { .sha256(of: manifest) }
}

extension ImageReference {
  /// `domain/test/image:tag` or by digest.
  static func test(_ domain: String, tag: String? = "latest", digest: Digest? = nil) -> ImageReference {
    ImageReference(domain: domain, path: "test/image", tag: tag, digest: digest)
  }
}

extension BlobStream {
  /// All of it.
  func collect() async throws -> [UInt8] {
    var bytes: [UInt8] = []
    while let piece = try await next() { bytes += piece }
    return bytes
  }
}

extension RegistryClient {
  func bytes(_ descriptor: Descriptor, of reference: ImageReference, credentials: RegistryCredentials? = nil) async throws -> [UInt8] {
    try await blob(descriptor, of: reference, credentials: credentials).collect()
  }
}

extension LocalRegistry {
  func add(_ image: SampleImage, tag: String = "latest") throws {
    try add(blob: [], to: "test/image")
    try add(blob: image.layer, to: "test/image")
    try add(manifest: image.manifest, to: "test/image", tag: tag)
  }
}

/// The fault that `body` ends with.
func fault(isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Void) async -> Fault {
  do {
    try await body()
    Issue.record("nothing was thrown")
    return Fault(.unknown, "nothing was thrown")
  } catch {
    return Fault(error)
  }
}
