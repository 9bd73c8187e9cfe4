import Core
import Linux
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import OCI
import Support
import Synchronization
import Testing

@testable import Registry

/// Blobs and manifests sent to registries, good ones and others.
@Suite(.serialized) struct UploadTests {
  /// Bytes in memory, from any position.
  private final class Bytes: BlobStream {
    private let rest: Mutex<ArraySlice<UInt8>>

    init(_ bytes: ArraySlice<UInt8>) { rest = Mutex(bytes) }

    func next() async throws -> [UInt8]? {
      rest.withLock { rest in
        if rest.isEmpty { return nil }
        defer { rest = rest.dropFirst(256 << 10) }
        return Array(rest.prefix(256 << 10))
      }
    }
  }

  private func upload(_ image: SampleImage, to push: any RegistryPush) async throws {
    let layer = image.layer
    try await push.upload(image.descriptor, progress: { _ in }) { Bytes(layer[Int($0)...]) }
  }

  private func document(_ image: SampleImage) -> ManifestDocument {
    ManifestDocument(digest: image.digest, mediaType: MediaType.ociManifest, bytes: image.manifest)
  }

  private func add(_ image: SampleImage, by push: any RegistryPush) async throws {
    try await upload(image, to: push)
    try await push.upload(
      Descriptor(mediaType: MediaType.ociConfig, digest: .sha256(of: []), size: 0), progress: { _ in }, open: { _ in Bytes([]) })
    try await push.put(document(image), at: "latest")
  }

  @Test func `what was sent can be pulled, and is not sent again`() async throws {
    let image = SampleImage()
    try await withLocalRegistry { registry in
      try await withClient { client in
        let reference = ImageReference.test(registry.authority)
        let push = try client.push(to: reference, credentials: nil, mounting: [])
        #expect(try await push.hasBlob(image.descriptor.digest) == false)
        #expect(try await push.hasManifest(image.digest, at: "latest") == false)
        try await add(image, by: push)
        #expect(try await push.hasBlob(image.descriptor.digest))
        #expect(try await push.hasManifest(image.digest, at: "latest"))
        #expect(try await client.manifest(reference, credentials: nil).digest == image.digest)
        #expect(try await client.bytes(image.descriptor, of: reference) == image.layer)
        let other = try client.push(
          to: ImageReference(domain: registry.authority, path: "other/image", tag: "1", digest: nil), credentials: nil,
          mounting: ["test/image"])
        #expect(try await other.mount(image.descriptor.digest, from: "test/image"))
        #expect(try await other.hasBlob(image.descriptor.digest))
        #expect(try await other.mount(.sha256(of: [1]), from: "test/image") == false)
      }
    }
  }

  @Test func `what is not what its digest says is refused by the registry, and the error says so`() async throws {
    let (image, other) = (SampleImage(layerSize: 5000), SampleImage(layerSize: 5000).layer.reversed() as [UInt8])
    try await withLocalRegistry { registry in
      try await withClient { client in
        let push = try client.push(to: .test(registry.authority), credentials: nil, mounting: [])
        let fault = await RegistryTests.fault {
          try await push.upload(image.descriptor, progress: { _ in }, open: { Bytes(other[Int($0)...]) })
        }
        #expect(fault.message.contains("DIGEST_INVALID") && fault.message.contains("\(image.descriptor.digest)"), "\(fault)")
        let short = await RegistryTests.fault {
          try await push.upload(image.descriptor, progress: { _ in }, open: { _ in Bytes(other[1000...]) })
        }
        #expect(short.code == .dataLoss && short.message.contains("4000 of 5000"), "\(short)")
        #expect(try await push.hasBlob(image.descriptor.digest) == false)
      }
    }
  }

  @Test func `with connections that break after some megabytes a large blob arrives all the same`() async throws {
    let image = SampleImage(layerSize: 22_000_000)
    var options = RelayProxy.Options()
    options.dropAfterSent = 5_000_000
    try await withLocalRegistry { registry in
      try await RelayProxy.with(options) { proxy in
        let hosts = FixedHosts(list: [RegistryHost(scheme: .http, authority: "0.0.0.0:\(registry.port)")])
        let client = RegistryClient(
          hosts: hosts, group: .singletonMultiThreadedEventLoopGroup, environment: ["HTTP_PROXY=127.0.0.1:\(proxy.port)"],
          policy: .quick, logger: Logger(label: "test"))
        do {
          try await add(image, by: client.push(to: .test("r.example"), credentials: nil, mounting: []))
        } catch {
          Issue.record("\(error)")
        }
        try await client.shutdown()
        #expect(proxy.targets.count >= 5)
      }
      try await withClient { client in
        let bytes = try await client.bytes(image.descriptor, of: .test(registry.authority))
        #expect(bytes == image.layer)
      }
    }
  }

  /// What a registry that keeps whole chunks only has of a session.
  private final class Session: Sendable {
    let state = Mutex<(bytes: [UInt8], refused: Int)>(([], 0))

    func answer(_ request: HostileServer.Request, largest: Int) -> [HostileServer.Step] {
      let place = ["Location": "/v2/test/image/blobs/uploads/1?state=x"]
      switch request.method {
      case "POST":
        state.withLock { $0.bytes = [] }
        return .response(202, place)
      case "HEAD": return .response(404)
      case "PATCH", "PUT":
        let body = Array(request.body.utf8)
        if body.count > largest {
          state.withLock { $0.refused += 1 }
          return .response(413, text: "too large")
        }
        let count = state.withLock { state in
          state.bytes += body
          return state.bytes.count
        }
        return .response(request.method == "PUT" ? 201 : 202, place.merging(["Range": "0-\(count - 1)"]) { $1 })
      default:
        let count = state.withLock { $0.bytes.count }
        return .response(204, place.merging(["Range": "0-\(max(count, 1) - 1)"]) { $1 })
      }
    }
  }

  @Test func `a registry that takes no large requests gets chunks in order, each once`() async throws {
    let text = (0..<3_000_000).map { _ in UInt8.random(in: 0x20...0x7e) }
    let descriptor = Descriptor(mediaType: MediaType.ociLayer, digest: .sha256(of: text), size: Int64(text.count))
    let session = Session()
    try await withHostileServer { request in
      session.answer(request, largest: 900_000)
    } _: { server in
      try await withClient { client in
        let push = try client.push(to: .test(server.authority), credentials: nil, mounting: [])
        try await push.upload(descriptor, progress: { _ in }, open: { Bytes(text[Int($0)...]) })
      }
      #expect(session.state.withLock { $0.bytes } == text)
      let ranges = server.requests.filter { $0.method == "PATCH" && $0.body.utf8.count <= 900_000 }
        .compactMap { $0.headers.first(name: "Content-Range") }
      #expect(ranges.first?.hasPrefix("0-") == true && ranges.last?.hasSuffix("-2999999") == true, "\(ranges)")
      #expect(server.requests.last?.target.contains("digest=sha256%3A") == true)
      #expect(server.requests.last?.target.contains("state=x") == true)
    }
  }

  @Test func `an answer that was lost is asked for, not the bytes sent again`() async throws {
    let image = SampleImage(layerSize: 1000)
    let puts = Mutex(0)
    try await withHostileServer { request in
      switch request.method {
      case "POST": return .response(202, ["Location": "/up"])
      case "PUT":
        puts.withLock { $0 += 1 }
        return [.close]
      case "HEAD": return .response(200)
      default: return .response(404)
      }
    } _: { server in
      try await withClient { client in
        try await upload(image, to: client.push(to: .test(server.authority), credentials: nil, mounting: []))
      }
      #expect(puts.withLock { $0 } == 1)
    }
  }

  @Test func `a session on another host gets the bytes, and no credentials`() async throws {
    let image = SampleImage(layerSize: 1000)
    try await withHostileServer { _ in
      .response(201)
    } _: { storage in
      try await withHostileServer { request in
        request.headers.contains(name: "Authorization")
          ? .response(202, ["Location": "http://\(storage.authority)/put?sig=1"])
          : .response(401, ["WWW-Authenticate": "Basic realm=\"test\""])
      } _: { server in
        var credentials = RegistryCredentials()
        (credentials.username, credentials.password) = ("me", "secret")
        try await withClient { [credentials] client in
          try await upload(image, to: client.push(to: .test(server.authority), credentials: credentials, mounting: []))
        }
      }
      #expect(storage.requests.map(\.method) == ["PUT"])
      #expect(storage.requests[0].headers.contains(name: "Authorization") == false)
    }
  }

  @Test func `where hosts toml lets nobody take pushes nothing is sent`() async throws {
    var mirror = RegistryHost(scheme: .http, authority: "127.0.0.1:1")
    mirror.capabilities = [.pull, .resolve]
    try await withClient(FixedHosts(list: [mirror])) { client in
      let fault = #expect(throws: Fault.self) { try client.push(to: .test("r.example"), credentials: nil, mounting: []) }
      #expect(fault?.code == .failedPrecondition && fault?.message.contains("hosts.toml") == true)
    }
  }

  @Test func `a registry that is busy for a moment is asked again, one that refuses is not`() async throws {
    let image = SampleImage(layerSize: 1000)
    let asked = Mutex(0)
    try await withHostileServer { request in
      let count = asked.withLock { count in
        count += 1
        return count
      }
      if count < 3 { return .response(503, ["Retry-After": "0"]) }
      return request.method == "PUT" ? .response(403, text: #"{"errors":[{"code":"DENIED","message":"read only"}]}"#) : .response(404)
    } _: { server in
      try await withClient { client in
        let push = try client.push(to: .test(server.authority), credentials: nil, mounting: [])
        #expect(try await push.hasBlob(image.descriptor.digest) == false)
        let fault = await RegistryTests.fault { try await push.put(document(image), at: "latest") }
        #expect(fault.code == .permissionDenied && fault.message.contains("read only"), "\(fault)")
      }
      #expect(server.requests.count == 4)
    }
  }
}
