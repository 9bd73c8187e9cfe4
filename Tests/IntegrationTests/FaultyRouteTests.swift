import CRIAPI
import Core
import GRPC
import Linux
import NIOCore
import NIOHTTP1
import OCI
import Support
import SwiftProtobuf
import Synchronization
import Testing

/// Pulls through a whole berthd while something on the way misbehaves: each ends right, or with an error that says what happened and leaves nothing;
/// next to nothing is fetched twice.
@Suite(.serialized) struct FaultyRouteTests {
  private static let repository = "registry.example:5000/test/image"

  private static func noise(_ count: Int) -> [UInt8] {
    var numbers = SeededNumbers(seed: UInt64(count))
    return (0..<count / 8).flatMap { _ in withUnsafeBytes(of: numbers.next()) { Array($0) } }
  }

  private static func image(_ sizes: Int...) async throws -> ServedImage {
    var layers: [PackedLayer] = []
    for (number, size) in sizes.enumerated() { layers.append(try await PackedLayer([.file("f\(number)", bytes: noise(size))], .gzip)) }
    return ServedImage(layers)
  }

  private static func size(_ image: ServedImage) -> Int {
    image.manifest.count + image.config.count + image.layers.reduce(0) { $0 + $1.blob.count }
  }

  /// A node for which `registry.example:5000` is at `authority`. 0.0.0.0 leads to this machine, and is no loopback address: those are asked directly.
  private func withNode(
    at authority: String, proxy: RelayProxy? = nil, settings: String = "", hosts: String = "", _ body: (Node) async throws -> Void
  ) async throws {
    try await withScratch("hosts") { scratch in
      try Files.makeDirectories(scratch + "/registry.example:5000")
      try Files.write("server = 'http://\(authority)'\n" + hosts, to: scratch + "/registry.example:5000/hosts.toml")
      let launcher = proxy.map { ["/usr/bin/env", "HTTP_PROXY=http://127.0.0.1:\($0.port)"] } ?? []
      try await Node.with(settings: "[registry]\nconfig_path = \"\(scratch)\"\n" + settings, launcher: launcher, body)
    }
  }

  private func expectPulled(_ node: Node, _ image: ServedImage, auth: Runtime_V1_AuthConfig? = nil) async throws {
    let id = try await node.pull(Self.repository + ":1", auth: auth)
    #expect(id == "\(Digest.sha256(of: image.config))")
    #expect(try await node.expectWhole() == 1)
  }

  private func expectRefused(_ node: Node, _ code: GRPCStatus.Code, _ words: [String], _ name: String) async throws {
    let error = await #expect(throws: GRPCStatus.self, "\(name)") { _ = try await node.pull(Self.repository + ":1") }
    #expect(error?.code == code, "\(name): \(error?.message ?? "")")
    for word in words + ["image \(Self.repository):1"] {
      #expect(error?.message.contains(word) == true, "\(name): \(word) is not in: \(error?.message ?? "")")
    }
    try await node.expectNothing(of: [Self.repository + ":1"])
  }

  @Test(arguments: [(5_000_000, false), (5_000_000, true), (400_000, false), (400_000, true)])
  func `every connection is dropped, and what had come is not fetched again`(after limit: Int, reset: Bool) async throws {
    let image = try await Self.image(11_000_000, 3_000_000)
    var options = RelayProxy.Options()
    (options.dropAfter, options.resets) = (limit, reset)
    try await withLocalRegistry { registry in
      try registry.add(image, to: "test/image", tag: "1")
      try await RelayProxy.with(options) { proxy in
        try await withNode(at: "0.0.0.0:\(registry.port)", proxy: proxy) { node in
          try await expectPulled(node, image)
          #expect(proxy.targets.count >= Self.size(image) / limit)
          let twice = Double(proxy.relayed) / Double(Self.size(image)) - 1
          print("dropped after \(limit) bytes, reset \(reset): \(proxy.targets.count) connections, \(twice * 100) % fetched twice")
          #expect(twice < 0.05, "\(proxy.relayed) bytes came for \(Self.size(image))")
        }
      }
    }
  }

  @Test func `a byte that was changed on the way is found, by the layer's digest, and the next pull is right`() async throws {
    let image = try await Self.image(2_000_000)
    var options = RelayProxy.Options()
    options.corruptAt = 1_000_000
    try await withLocalRegistry { registry in
      try registry.add(image, to: "test/image", tag: "1")
      try await RelayProxy.with(options) { proxy in
        try await withNode(at: "0.0.0.0:\(registry.port)", proxy: proxy) { node in
          let layer = "layer \(image.layers[0].description.descriptor.digest)"
          try await expectRefused(node, .dataLoss, [layer, "arrived as"], "corrupted")
          try await expectPulled(node, image)
        }
      }
    }
  }

  /// What a server does with the requests for the image's blobs; the rest it answers honestly.
  private typealias Fault = @Sendable (_ blob: [UInt8], _ request: HostileServer.Request, _ times: Int) -> [HostileServer.Step]?

  /// A pull by a server that behaves so; `check` gets how often each blob was asked for.
  private func pull(
    _ image: ServedImage, settings: String = "", _ fault: @escaping Fault, _ body: (Node, HostileServer) async throws -> Void
  ) async throws {
    let asked = Mutex<[String: Int]>([:])
    try await withHostileServer { request in
      guard let blob = image.blob(request) else { return image.answer(request) }
      let times = asked.withLock { asked in
        asked[request.path, default: 0] += 1
        return asked[request.path, default: 0]
      }
      return fault(blob, request, times) ?? .blob(blob, request)
    } _: { server in
      try await withNode(at: server.authority, settings: settings) { try await body($0, server) }
    }
  }

  @Test func `429 and 503 are waited out where they pass, and said where they do not`() async throws {
    let image = try await Self.image(300_000, 200_000)
    try await pull(image) { _, request, times in
      switch times {
      case 1: .response(503, ["Retry-After": "1"], text: "overloaded")
      case 2: .response(429, ["Retry-After": "1"], text: "slow down")
      case 3: .response(502)
      default: nil
      }
    } _: { node, server in
      try await expectPulled(node, image)
    }
    try await pull(image) { _, _, _ in
      .response(429, ["Retry-After": "900"], text: #"{"errors":[{"code":"TOOMANYREQUESTS","message":"come back tomorrow"}]}"#)
    } _: { node, _ in
      try await expectRefused(node, .resourceExhausted, ["429", "TOOMANYREQUESTS: come back tomorrow", "retry after 900 s"], "429")
    }
    try await pull(image) { _, _, _ in
      .response(503, text: "<html><title>down for maintenance</title></html>")
    } _: { node, _ in
      try await expectRefused(node, .unknown, ["RegistryUnavailable: ", "503", "down for maintenance"], "503")
    }
  }

  @Test func `blobs that are redirected to another host come from there, without credentials and headers`() async throws {
    let image = try await Self.image(600_000)
    try await withHostileServer {
      image.answer($0)
    } _: { store in
      try await withHostileServer { request in
        if request.authorization != "Basic dXNlcjpodW50ZXIy" { return .response(401, ["WWW-Authenticate": "Basic realm=\"r\""]) }
        if request.path.contains("/manifests/") { return image.answer(request) }
        return .response(307, ["Location": "http://\(store.authority)\(request.path)?signature=s%20x"])
      } _: { server in
        try await withNode(at: server.authority, hosts: "[header]\nX-Api-Key = 'key'\n") { node in
          try await expectPulled(node, image, auth: .with { $0.auth = "dXNlcjpodW50ZXIy" })
          #expect(server.requests.contains { $0.path.contains("/blobs/") && $0.headers.first(name: "X-Api-Key") == "key" })
          #expect(store.requests.count >= 2 && store.requests.allSatisfy { $0.query == "signature=s%20x" })
          #expect(store.requests.allSatisfy { $0.authorization == nil && !$0.headers.contains(name: "X-Api-Key") })
        }
      }
    }
  }

  /// The head at once, then 1 kB/s.
  private static func trickle(_ blob: [UInt8], _ request: HostileServer.Request) -> [HostileServer.Step] {
    let from = request.from
    let range = from > 0 ? ["Content-Range": "bytes \(from)-\(blob.count - 1)/\(blob.count)"] : [:]
    let head = [HostileServer.Step].response(from > 0 ? 206 : 200, range, [], length: blob.count - from)
    return head
      + stride(from: from, to: min(from + 60_000, blob.count), by: 100).flatMap { start in
        [.send(Array(blob[start..<min(start + 100, blob.count)])), .pause(.milliseconds(100))]
      }
  }

  @Test func `a connection at 1 kB a second is given up: the blob comes by another one, or the error says so`() async throws {
    let image = try await Self.image(400_000)
    let quick = "stall_timeout = \"500ms\"\n"
    try await pull(image, settings: quick) { blob, request, times in
      times < 3 ? Self.trickle(blob, request) : nil
    } _: { node, server in
      try await expectPulled(node, image)
      let layer = server.requests.filter { $0.path.hasSuffix("\(image.layers[0].description.descriptor.digest)") }.map(\.from)
      #expect(layer.count == 3 && layer == layer.sorted() && layer[2] > 0, "what had trickled in is kept: \(layer)")
    }
    try await pull(image, settings: quick) { blob, request, _ in
      Self.trickle(blob, request)
    } _: { node, _ in
      try await expectRefused(node, .unknown, ["RegistryUnavailable: ", "layer", "stalled", "bytes in 0.5 seconds"], "trickle")
    }
  }

  @Test func `lies in Content-Length and Content-Range are found out and said`() async throws {
    let image = try await Self.image(500_000)
    let size = image.layers[0].blob.count
    let lies: [(name: String, fault: Fault, words: [String])] = [
      (
        "too short", { blob, _, _ in blob.count == size ? .response(200, [:], Array(blob.dropLast(9))) : nil },
        ["has \(size - 9) bytes there", "\(size)"]
      ),
      (
        "too long", { blob, _, _ in blob.count == size ? .response(200, [:], blob + [0]) : nil },
        ["has \(size + 1) bytes there", "\(size)"]
      ),
      (
        "another range",
        { blob, request, _ in
          if blob.count != size { return nil }
          if request.from == 0 { return .blob(blob, request, limit: 200_000) }
          let range = "bytes \(request.from + 1)-\(size - 1)/\(size)"
          return .response(206, ["Content-Range": range], Array(blob[(request.from + 1)...]))
        }, ["asked for bytes", "got bytes"]
      ),
      (
        "a range of another whole",
        { blob, request, _ in
          if blob.count != size { return nil }
          if request.from == 0 { return .blob(blob, request, limit: 200_000) }
          return .response(206, ["Content-Range": "bytes \(request.from)-\(size - 1)/\(size + 5)"], Array(blob[request.from...]))
        }, ["asked for bytes", "/\(size + 5)"]
      ),
    ]
    for lie in lies {
      try await pull(image, lie.fault) { node, _ in
        try await expectRefused(node, .dataLoss, ["layer", "\(image.layers[0].description.descriptor.digest)"] + lie.words, lie.name)
      }
    }
    // The honest end of a lie: it promises all, gives some, and hangs up, over and over.
    try await pull(image) { blob, request, _ in
      blob.count == size ? .blob(blob, request, limit: 60_000) : nil
    } _: { node, server in
      try await expectPulled(node, image)
      let sent = server.requests.filter { $0.path.contains("/blobs/") }.map { min(60_000, size - $0.from) }
      #expect(sent.count >= size / 60_000)
    }
  }
}
