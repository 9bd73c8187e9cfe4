import CRIAPI
import FoundationEssentials
import NIOCore
import Support
import SwiftProtobuf
import Testing

@testable import GRPC

/// Strings of requests that are no UTF-8: which one it is, is said.
struct BrokenTextTests {
  private static let request = Runtime_V1_CreateContainerRequest.with {
    $0.podSandboxID = "abc"
    $0.config = FullConfigs.container(scratch: "/srv", image: "busybox")
    $0.sandboxConfig = FullConfigs.sandbox(scratch: "/srv", cgroup: "/pods")
  }

  private func said(of bytes: [UInt8]) -> String? {
    do {
      _ = try MessageCoding.decode(
        Runtime_V1_CreateContainerRequest.self, ByteBuffer(bytes: bytes), kind: "request", failure: .invalidArgument)
      return nil
    } catch {
      #expect(error.code == .invalidArgument)
      return error.message
    }
  }

  /// The request with one of its texts, which is to be `marker` once, broken.
  private func said(_ change: (inout Runtime_V1_CreateContainerRequest) -> Void) throws -> String? {
    var request = Self.request
    change(&request)
    var bytes: [UInt8] = try request.serializedBytes()
    let marker = Array("marker".utf8)
    let start = try #require(bytes.indices.dropLast(5).first { bytes[$0..<$0 + 6].elementsEqual(marker) })
    bytes[start + 3] = 0xC0
    return said(of: bytes)
  }

  @Test func `the message and the field are named, with index or key`() throws {
    let start = "request is not a valid runtime.v1.CreateContainerRequest: "
    #expect(try said { $0.podSandboxID = "marker" } == start + "pod_sandbox_id: is not UTF-8")
    #expect(try said { $0.config.metadata.name = "a marker ü" } == start + "config.metadata.name: is not UTF-8")
    #expect(try said { $0.config.args = ["ä", "ö", "marker"] } == start + "config.args[2]: is not UTF-8")
    #expect(
      try said { $0.config.envs = [.with { $0.key = "é" }, .with { $0.key = "marker" }] } == start + "config.envs[1].key: is not UTF-8")
    #expect(try said { $0.config.labels = ["größe": "marker"] } == start + "config.labels[\"größe\"]: is not UTF-8")
    #expect(try said { $0.config.labels = ["marker": "x"] } == start + "config.labels[0].key: is not UTF-8")
    #expect(
      try said { $0.sandboxConfig.linux.securityContext.namespaceOptions.targetID = "marker" }
        == start + "sandbox_config.linux.security_context.namespace_options.target_id: is not UTF-8")
    #expect(try said { $0.config.image.annotations = ["a": "marker"] } == start + "config.image.annotations[\"a\"]: is not UTF-8")
    #expect(
      try said { $0.config.linux.resources.hugepageLimits = [.init(), .with { $0.pageSize = "marker" }] }
        == start + "config.linux.resources.hugepage_limits[1].page_size: is not UTF-8")
  }

  @Test func `values that may be any bytes are no strings`() throws {
    var request = Self.request
    request.config.envs = [.with { ($0.key, $0.value) = ("a", .init([0xFF, 0xC0])) }]
    #expect(said(of: try request.serializedBytes()) == nil)
  }

  @Test func `every string of a request is found`() throws {
    let whole: [UInt8] = try Self.request.serializedBytes()
    var places: Set<String> = []
    try everyText(whole, { $0 }) { broken, marked in
      let message = try #require(said(of: broken))
      let place = try #require(message.split(separator: ": ").dropFirst().first)
      let names = place.replacing(/\[[^\]]*\]/, with: "").split(separator: ".")
      #expect(names.filter { $0 != "key" } == (try namesOfMarked(marked)).filter { $0 != "key" && $0 != "value" }, "\(message)")
      places.insert(String(place))
    }
    #expect(places.count > 60 && places.contains("config.metadata.name"), "\(places.count)")
  }

  /// Calls `body` for each string below `bytes`, with the whole where that is broken and where it is marked.
  private func everyText(_ bytes: [UInt8], _ whole: ([UInt8]) -> [UInt8], _ body: ([UInt8], [UInt8]) throws -> Void) throws {
    var fields = WireFields(bytes[...])
    while let field = fields.next() {
      let (before, after) = (bytes[..<field.content.startIndex], bytes[field.content.endIndex...])
      let head = before.dropLast(WireFields.field(1, field.content).count - field.content.count - 1)
      func with(_ content: [UInt8]) -> [UInt8] { whole(Array(head) + Array(WireFields.field(1, content[...]).dropFirst()) + after) }
      let broken = with(field.content + [0xFF])
      do {
        _ = try Runtime_V1_CreateContainerRequest(serializedBytes: broken)
        try everyText(Array(field.content), with, body)
      } catch BinaryDecodingError.invalidUTF8 {
        try body(broken, with(Array("MARKED".utf8)))
      } catch { try everyText(Array(field.content), with, body) }
    }
  }

  private func namesOfMarked(_ bytes: [UInt8]) throws -> [Substring] {
    var path: [Substring] = []
    for line in try Runtime_V1_CreateContainerRequest(serializedBytes: bytes).textFormatString().split(separator: "\n") {
      let name = line.drop { $0 == " " }.prefix { $0 != " " && $0 != ":" }
      if line.hasSuffix("{") { path.append(name) }
      if line.hasSuffix("}") { path.removeLast() }
      if line.hasSuffix(": \"MARKED\"") { return path + [name] }
    }
    throw CancellationError()
  }
}
