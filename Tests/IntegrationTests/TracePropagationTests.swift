import CRIAPI
import Core
import GRPC
import Linux
import NIOHTTP1
import Support
import SwiftProtobuf
import Testing

@testable import Streaming

/// What others are told of a trace, and spans of what goes on behind calls.
@Suite(.serialized, .timeLimit(.minutes(5))) struct TracePropagationTests {
  @Test func `each request to a registry names its own span, what it redirects to is told nothing`() async throws {
    let image = ServedImage([try await PackedLayer([.file("a", "1")])])
    try await withHostileServer({ image.answer($0) }) { store in
      try await withHostileServer({ request in
        if image.blob(request) == nil { return image.answer(request) }
        return .response(307, ["Location": "http://\(store.authority)\(request.path)"])
      }) { server in
        try await TraceCollector.with { collector in
          try await Node.with(settings: collector.settings(.grpc), launcher: TraceCollector.launcher) { node in
            _ = try await node.pull(server.authority + "/test/image:1")
            let call = try await collector.span("runtime.v1.ImageService/PullImage")
            let spans = try collector.spans().filter { $0.name == "registry.request" }
            let known = Set(spans.map { "00-\(call.trace)-\($0.id)-01" })
            let told = server.requests.compactMap { $0.headers.first(name: "traceparent") }
            #expect(told.count == server.requests.count && told.count >= 3)
            #expect(Set(told).count == told.count && known.isSuperset(of: told), "\(told), \(known)")
            #expect(!store.requests.isEmpty && store.requests.allSatisfy { !$0.headers.contains(name: "traceparent") })
          }
        }
      }
    }
  }

  @Test func `a port-forward belongs to the call that asked for it`() async throws {
    try await TraceCollector.with { collector in
      try await Node.with(settings: collector.settings(.grpc), launcher: TraceCollector.launcher) { node in
        let pod = try await node.run(try node.podConfig("forward"))
        let request = Runtime_V1_PortForwardRequest.with { $0.podSandboxID = pod }
        let url = try await node.runtime("PortForward", request, returning: Runtime_V1_PortForwardResponse.self).url
        let spdy = try await SPDYClient.connect(url, versions: ["portforward.k8s.io"])
        let error = try await spdy.open(["streamtype": "error", "port": "9", "requestid": "0"])
        _ = try await spdy.open(["streamtype": "data", "port": "9", "requestid": "0"])
        try await spdy.receive { spdy.ended.contains(error) }
        try await spdy.wire.close()
        let session = try await collector.span("session.portforward")
        let call = try await collector.span("runtime.v1.RuntimeService/PortForward")
        #expect(session.parent == call.id && session.trace == call.trace && session.kind == 2)
      }
    }
  }

  @Test(arguments: TraceCollector.Wire.allCases)
  func `packed requests are understood, and packed answers`(_ wire: TraceCollector.Wire) async throws {
    try await TraceCollector.with { collector in
      try collector.script("partial 1 one is lost")
      try Files.write("", to: collector.directory + "/gzip")
      let settings = collector.settings(wire, "compression = \"gzip\"")
      try await Node.with(settings: settings, launcher: TraceCollector.launcher) { node in
        _ = try await node.pods()
        try await collector.span("runtime.v1.RuntimeService/ListPodSandbox")
        try await eventually("it is said") { node.daemonLog().contains("the collector says: one is lost") ? true : nil }
        let headers = try #require(try collector.requests().first?["headers"])
        if wire == .http { #expect(headers["content-encoding"]?.string == "gzip") }
      }
    }
  }

  @Test func `garbage collection is a trace of its own`() async throws {
    try await TraceCollector.with { collector in
      try await Node.with(settings: collector.settings(.grpc), launcher: TraceCollector.launcher) { node in
        try await node.importBusybox()
        let name = try #require(try await node.images().first?.repoTags.first)
        try await node.removeImage(name)
        let removal = try await collector.span("runtime.v1.ImageService/RemoveImage")
        let collection = try await collector.span("garbage.collection") { $0.end > removal.start }
        #expect(collection.parent.isEmpty && collection.trace != removal.trace && collection.status == 0)
      }
    }
  }
}
