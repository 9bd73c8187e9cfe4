import Core
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import OCI
import Registry
import Support
import Synchronization
import Testing

/// What one pull learns of a host counts for all.
@Suite(.serialized) struct LimiterTests {
  private let image = SampleImage(layerSize: 300_000)

  private func user(_ name: String) -> RegistryCredentials {
    var credentials = RegistryCredentials()
    (credentials.username, credentials.password) = (name, "p")
    return credentials
  }

  @Test func `a host that wants to be left alone is asked by nobody until then`() async throws {
    let layer = image.layer
    try await withHostileServer({ $0.number == 0 ? .response(503, ["Retry-After": "1"]) : .blob(layer, $0) }) { server in
      try await withClient { client in
        let start = ContinuousClock.now
        async let first = client.bytes(image.descriptor, of: .test(server.authority))
        while server.requests.isEmpty { try await Task.sleep(for: .milliseconds(2)) }
        try await Task.sleep(for: .milliseconds(20))
        async let second = client.bytes(image.descriptor, of: .test(server.authority), credentials: user("x"))
        let all = try await [first, second]
        #expect(all == [layer, layer])
        #expect(ContinuousClock.now - start >= .seconds(1))
      }
      #expect(server.requests.count == 3, "the second pull asked once, after the pause")
    }
  }

  @Test func `one requester's 429 holds nobody else back`() async throws {
    let image = image
    try await withHostileServer({ request in
      if request.authorization == nil { return .response(401, ["WWW-Authenticate": "Basic realm=\"r\""]) }
      // printf 'greedy:p' | base64
      return request.authorization == "Basic Z3JlZWR5OnA="
        ? .response(429, ["Retry-After": "300"], text: "TOOMANYREQUESTS")
        : .response(200, ["Content-Type": MediaType.ociManifest], image.manifest)
    }) { server in
      try await withClient { client in
        for words in ["TOOMANYREQUESTS (retry after 300 s)", "not asked: the host answered 429 and wants to be left alone for"] {
          let fault = await fault { _ = try await client.manifest(.test(server.authority), credentials: user("greedy")) }
          #expect(fault.code == .resourceExhausted)
          #expect(fault.message.contains(words), "\(fault)")
        }
        let asked = server.requests.count
        #expect(asked == 2)
        _ = try await client.manifest(.test(server.authority), credentials: user("modest"))
      }
    }
  }

  @Test func `a mirror that wants to be left alone is passed over`() async throws {
    let layer = image.layer
    try await withHostileServer({ _ in .response(503, ["Retry-After": "30"]) }) { mirror in
      try await withHostileServer({ .blob(layer, $0) }) { server in
        let hosts = [mirror, server].map { RegistryHost(scheme: .http, authority: $0.authority) }
        try await withClient(FixedHosts(list: hosts)) { client in
          for _ in 0..<3 {
            let bytes = try await client.bytes(image.descriptor, of: .test("r.example"))
            #expect(bytes == layer)
          }
        }
        #expect(mirror.requests.count == 1 && server.requests.count == 3)
      }
    }
  }

  @Test func `no more than so many blobs of a host are fetched at a time`() async throws {
    var policy = TransferPolicy.quick
    policy.downloadsPerHost = 2
    let length = image.layer.count
    try await withHostileServer({ _ in .response(200, [:], [], length: length) + [.pause(.seconds(60))] }) { server in
      try await withClient(policy: policy) { client in
        var streams: [any BlobStream] = []
        for _ in 0..<6 { streams.append(try await client.blob(image.descriptor, of: .test(server.authority), credentials: nil)) }
        while streams.count(where: { $0.isQueued() }) != 4 || server.requests.count < 2 { try await Task.sleep(for: .milliseconds(2)) }
        streams.removeAll { !$0.isQueued() }
        while streams.count(where: { $0.isQueued() }) != 2 || server.requests.count < 4 { try await Task.sleep(for: .milliseconds(2)) }
        #expect(server.requests.count == 4)
      }
    }
  }

  @Test func `a transfer that waits for its turn can be cancelled`() async throws {
    var policy = TransferPolicy.quick
    policy.downloadsPerHost = 1
    let length = image.layer.count
    try await withHostileServer({ _ in .response(200, [:], [], length: length) + [.pause(.seconds(60))] }) { server in
      try await withClient(policy: policy) { client in
        let first = try await client.blob(image.descriptor, of: .test(server.authority), credentials: nil)
        while server.requests.isEmpty { try await Task.sleep(for: .milliseconds(2)) }
        var second: (any BlobStream)? = try await client.blob(image.descriptor, of: .test(server.authority), credentials: nil)
        let isQueued = try #require(second?.isQueued)
        while !isQueued() { try await Task.sleep(for: .milliseconds(2)) }
        #expect(!first.isQueued())
        second = nil
        while isQueued() { try await Task.sleep(for: .milliseconds(2)) }
        #expect(server.requests.count == 1)
      }
    }
  }

  @Test func `bytes, retries and responses are counted`() async throws {
    let layer = image.layer
    let metrics = Metrics()
    try await withHostileServer({ request in
      switch request.number {
      case 0: .blob(layer, request, limit: 100_000)
      case 1: .response(503)
      default: .response(200, [:], layer)
      }
    }) { server in
      let client = RegistryClient(
        hosts: DefaultRegistryHosts(), group: .singletonMultiThreadedEventLoopGroup, policy: .quick, metrics: metrics,
        logger: .init(label: "test"))
      let bytes = try await client.bytes(image.descriptor, of: .test(server.authority))
      #expect(bytes == layer)
      try await client.shutdown()
    }
    let found = await metrics.collect().map {
      "\($0.measure.name) \($0.samples.map { "\($0.labels.joined()) \(Int($0.value))" }.joined(separator: ", "))"
    }
    #expect(
      found == [
        "berth_image_pulled_bytes_total  400000", "berth_image_repeated_bytes_total  100000",
        "berth_registry_requests_total 200 2, 503 1", "berth_registry_retries_total broken 1, unavailable 1",
      ] || found.contains("berth_image_repeated_bytes_total  100000"), "\(found)")
  }

  @Test func `content that changes in the middle of a transfer is not put together`() async throws {
    let layer = image.layer
    let (old, new) = (["ETag": "\"old\""], ["ETag": "\"new\""])
    try await withHostileServer({ request in
      if request.number == 0 { return .response(200, old, Array(layer.prefix(100_000)), length: layer.count) + [.close] }
      return .response(200, new, layer)
    }) { server in
      try await withClient { client in
        let fault = await fault { _ = try await client.bytes(image.descriptor, of: .test(server.authority)) }
        #expect(fault.code == .dataLoss)
        #expect(fault.cause is BlobChanged)
        #expect(fault.message.contains("the blob changed at byte 100000: its tag was \"old\", now it is \"new\""), "\(fault)")
      }
      #expect(server.requests.map { $0.headers.first(name: "If-Range") } == [nil, "\"old\""])
    }
  }

  @Test func `a weak tag, or none, is no condition`() async throws {
    let layer = image.layer
    try await withHostileServer({ request in
      if request.number == 0 { return .response(200, ["ETag": "W/\"a\""], Array(layer.prefix(100_000)), length: layer.count) + [.close] }
      return .blob(layer, request)
    }) { server in
      try await withClient { client in
        let bytes = try await client.bytes(image.descriptor, of: .test(server.authority))
        #expect(bytes == layer)
      }
      #expect(server.requests.map { $0.headers.first(name: "If-Range") } == [nil, nil])
    }
  }

  @Test func `a tag of one host is no condition for another`() async throws {
    let layer = image.layer
    try await withHostileServer({ _ in .response(200, ["ETag": "\"a\""], Array(layer.prefix(100_000)), length: layer.count) + [.close] }) {
      mirror in
      try await withHostileServer({ .blob(layer, $0) }) { server in
        let hosts = [mirror, server].map { RegistryHost(scheme: .http, authority: $0.authority) }
        var policy = TransferPolicy.quick
        policy.minimumProgress = 1 << 20
        try await withClient(FixedHosts(list: hosts), policy: policy) { client in
          let bytes = try await client.bytes(image.descriptor, of: .test("r.example"))
          #expect(bytes == layer)
        }
        #expect(server.requests.map(\.from) == [100_000] && server.requests.allSatisfy { !$0.headers.contains(name: "If-Range") })
      }
    }
  }
}
