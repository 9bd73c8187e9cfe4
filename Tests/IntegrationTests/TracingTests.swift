import CRIAPI
import Core
import FoundationEssentials
import GRPC
import Linux
import OCI
import Support
import SwiftProtobuf
import Testing

@testable import Streaming

/// Traces of a real berthd, as a collector that nobody here wrote decodes them.
@Suite(.serialized, .timeLimit(.minutes(5))) struct TracingTests {
  private static let trace = "0af7651916cd43dd8448eb211c80319c"
  private static let span = "b7ad6b7169203331"
  private static let service = "runtime.v1.RuntimeService/"

  /// A call with these headers.
  private func call<Request: Message, Response: Message>(
    _ node: Node, _ method: String, _ request: Request, _ metadata: GRPCMetadata, returning: Response.Type = Response.self
  ) async throws -> Response {
    try await node.berth().unary("/runtime.v1.RuntimeService/" + method, request, metadata: metadata, timeout: .seconds(60))
  }

  private func parented(_ flags: String = "01") -> GRPCMetadata {
    ["traceparent": "00-\(Self.trace)-\(Self.span)-\(flags)", "tracestate": "vendor=x"]
  }

  @Test(arguments: TraceCollector.Wire.allCases) func `a pod's whole life is a tree of spans below what the kubelet names`(
    _ wire: TraceCollector.Wire
  )
    async throws
  {
    try await TraceCollector.with { collector in
      try await Node.with(settings: collector.settings(wire), launcher: TraceCollector.launcher) { node in
        try await node.importBusybox()
        let config = try node.podConfig("web") { $0.annotations = ["private": "hidden-annotation"] }
        let run = Runtime_V1_RunPodSandboxRequest.with { $0.config = config }
        let pod = try await call(node, "RunPodSandbox", run, parented(), returning: Runtime_V1_RunPodSandboxResponse.self).podSandboxID
        let container = try await node.launch("a", ["/bin/sleep", "600"], in: pod) {
          $0.envs = [.with { ($0.key, $0.value) = ("PASSWORD", Data("hidden-value".utf8)) }]
        }
        _ = try await node.exec(container, ["/bin/true"])
        try await node.stop(container: container)
        try await node.stop(pod: pod)
        try await node.remove(pod: pod)
        try await collector.span(Self.service + "RemovePodSandbox")
        let spans = try collector.spans()
        let made = try #require(spans.first { $0.name == Self.service + "RunPodSandbox" })
        #expect(made.trace == Self.trace && made.parent == Self.span && made.kind == 2 && made.status == 0)
        #expect(made.json["state"]?.string == "vendor=x" && made.json["flags"]?.integer == 0x301)
        #expect(made["rpc.system"] == "grpc" && made["rpc.service"] == "runtime.v1.RuntimeService" && made["rpc.method"] == "RunPodSandbox")
        #expect(made["rpc.grpc.status_code"] == "0" && made["k8s.pod.name"] == "web" && made["k8s.namespace.name"] == "default")
        #expect(made["berth.sandbox.id"] == pod)
        expectWhole(spans)
        #expect(
          names(below: made, of: spans).isSuperset(of: [
            "sandbox.files", "shim.start", "berth.shim.v1.Pod/Setup", "network.attach", "cni.ADD",
          ]))
        let plugins = spans.filter { $0.name == "cni.ADD" }
        #expect(plugins.map { $0["cni.plugin"] } == ["bridge"] && plugins.allSatisfy { $0["berth.sandbox.id"] == pod })
        expectStages(
          spans,
          [
            "CreateContainer": [
              "container.host_paths", "snapshot.prepare", "container.spec", "container.mounts", "containerd.task.v3.Task/Create",
            ],
            "StartContainer": ["containerd.task.v3.Task/Start"],
            "ExecSync": ["containerd.task.v3.Task/Exec", "containerd.task.v3.Task/Start", "containerd.task.v3.Task/Wait"],
            "StopContainer": ["containerd.task.v3.Task/Kill"], "StopPodSandbox": ["network.detach", "cni.DEL", "shim.end"],
            "RemovePodSandbox": ["snapshot.remove"],
          ])
        #expect(spans.first { $0.name == Self.service + "StartContainer" }?["container.id"] == container)
        #expect(!collector.said().contains("hidden"))
        let resource = try #require(made.json["resource"])
        #expect(resource["service.name"]?.string == "berthd" && resource["telemetry.sdk.language"]?.string == "swift")
      }
    }
  }

  /// Every parent that is not the kubelet's is there, in the same trace, and lasts as long or longer where nobody outlived it.
  private func expectWhole(_ spans: [CollectedSpan]) {
    let byID = Dictionary(spans.map { ($0.id, $0) }) { one, _ in one }
    #expect(byID.count == spans.count)
    for span in spans where !span.parent.isEmpty && span.parent != Self.span {
      guard let parent = byID[span.parent] else {
        Issue.record("\(span.name) has a parent that never came")
        continue
      }
      #expect(parent.trace == span.trace && parent.start <= span.start && span.start <= span.end, "\(parent.name) > \(span.name)")
    }
  }

  private func names(below top: CollectedSpan, of spans: [CollectedSpan]) -> Set<String> {
    var (found, open): (Set<String>, Set<String>) = ([], [top.id])
    while !open.isEmpty {
      let children = spans.filter { open.contains($0.parent) }
      found.formUnion(children.map(\.name))
      open = Set(children.map(\.id))
    }
    return found
  }

  private func expectStages(_ spans: [CollectedSpan], _ stages: [String: Set<String>]) {
    for (method, wanted) in stages {
      let found = spans.filter { $0.name == Self.service + method }.reduce(into: Set<String>()) {
        $0.formUnion(names(below: $1, of: spans))
      }
      #expect(found.isSuperset(of: wanted), "\(method): \(found.sorted())")
    }
  }

  @Test func `a caller's decision counts, a malformed one does not, and log lines name their span`() async throws {
    try await TraceCollector.with { collector in
      try await Node.with(settings: collector.settings(.grpc, "sampling_rate_per_million = 0"), launcher: TraceCollector.launcher) { node in
        let version = Runtime_V1_VersionRequest()
        for metadata in [[:], parented("00"), ["traceparent": "00-\(Self.trace)-0-01"]] as [GRPCMetadata] {
          _ = try await call(node, "Version", version, metadata, returning: Runtime_V1_VersionResponse.self)
        }
        _ = try? await call(
          node, "PodSandboxStatus", Runtime_V1_PodSandboxStatusRequest.with { $0.podSandboxID = "nothing" }, parented(),
          returning: Runtime_V1_PodSandboxStatusResponse.self)
        let span = try await collector.span(Self.service + "PodSandboxStatus")
        #expect(try collector.spans().count == 1)
        // NOT_FOUND is the caller's: told, and no failure of the server.
        #expect(span.status == 0 && span["rpc.grpc.status_code"] == "5" && span.trace == Self.trace)
        #expect(span.events.contains { $0["name"]?.string == "exception" })
        #expect(span.events.contains { $0["name"]?.string == "call" && $0["attributes"]?["level"]?.string == "info" })
        let line = node.daemonLog().split(separator: "\n").first { $0.contains("trace_id=\(Self.trace)") && $0.contains("NOT_FOUND") }
        #expect(line?.contains("span_id=\(span.id)") == true, "\(node.daemonLog())")
      }
    }
  }

  @Test func `a failure shows where it happened`() async throws {
    try await TraceCollector.with { collector in
      try await Node.with(settings: collector.settings(.http), launcher: TraceCollector.launcher) { node in
        try Files.write(
          #"{"cniVersion": "1.0.0", "name": "broken", "plugins": [{"type": "bridge", "bridge": "\#(node.networkName)", "#
            + #""ipam": {"type": "no-such-plugin"}}]}"#,
          to: node.networkConfig + "/00-broken.conflist")
        _ = try? await node.run(try node.podConfig("web"))
        let call = try await collector.span(Self.service + "RunPodSandbox")
        let spans = try collector.spans()
        let plugin = try #require(spans.first { $0.name == "cni.ADD" })
        #expect(plugin.status == 2 && plugin.json["message"]?.string?.contains("no-such-plugin") == true)
        #expect(call.status == 2 && call["rpc.grpc.status_code"] == "13")
        #expect(names(below: call, of: spans).isSuperset(of: ["pod.rollback", "cni.DEL"]))
      }
    }
  }

  @Test func `a pull tells each request, layer and step, and no password`() async throws {
    let image = ServedImage([try await PackedLayer([.file("a", "1")]), try await PackedLayer([.file("b", "2")])])
    try await withHostileServer {
      image.answer($0)
    } _: { server in
      try await TraceCollector.with { collector in
        try await Node.with(settings: collector.settings(.grpc), launcher: TraceCollector.launcher) { node in
          let auth = Runtime_V1_AuthConfig.with { ($0.username, $0.password) = ("user", "hidden-password") }
          let id = try await node.pull(server.authority + "/test/image:1", auth: auth)
          let call = try await collector.span("runtime.v1.ImageService/PullImage")
          let spans = try collector.spans()
          #expect(call["container.image.id"] == id && call["container.image.name"] == server.authority + "/test/image:1")
          #expect(
            names(below: call, of: spans).isSuperset(of: [
              "image.resolve", "image.manifest", "image.policy", "image.config", "layer.fetch", "layer.unpack", "layer.place",
              "layer.commit",
              "registry.request",
            ]))
          let layers = spans.filter { $0.name == "layer.fetch" }
          #expect(Set(layers.map { $0["berth.blob.digest"] }) == Set(image.layers.map { "\($0.description.descriptor.digest)" }))
          #expect(spans.filter { $0.name == "registry.request" }.allSatisfy { $0["http.response.status_code"] == "200" && $0.kind == 3 })
          #expect(!collector.said().contains("hidden"))
        }
      }
    }
  }

  @Test func `a session belongs to the call that asked for it`() async throws {
    try await TraceCollector.with { collector in
      try await Node.with(settings: collector.settings(.grpc), launcher: TraceCollector.launcher) { node in
        try await node.importBusybox()
        let pod = try await node.run(try node.podConfig("web"))
        let container = try await node.launch("a", ["/bin/sleep", "600"], in: pod)
        let request = Runtime_V1_ExecRequest.with {
          ($0.containerID, $0.cmd, $0.stdout, $0.stderr) = (container, ["/bin/sh", "-c", "exit 3"], true, true)
        }
        let url = try await node.runtime("Exec", request, returning: Runtime_V1_ExecResponse.self).url
        _ = try await CommandClient.start(url, ["stdout", "stderr"]).finish()
        let session = try await collector.span("session.exec")
        let call = try await collector.span(Self.service + "Exec")
        #expect(session.parent == call.id && session["process.exit.code"] == "3")
        #expect(names(below: session, of: try collector.spans()).contains("containerd.task.v3.Task/Exec"))
      }
    }
  }

  @Test func `a restarted berthd goes on, and what was under way before is there`() async throws {
    try await TraceCollector.with { collector in
      try await Node.with(settings: collector.settings(.grpc), launcher: TraceCollector.launcher) { node in
        let pod = try await node.run(try node.podConfig("web"))
        try await collector.span(Self.service + "RunPodSandbox")
        try await node.restart()
        try await collector.span("recovery.pod") { $0["berth.sandbox.id"] == pod }
        try await node.stop(pod: pod)
        try await collector.span(Self.service + "StopPodSandbox") { $0["berth.sandbox.id"] == pod }
      }
    }
  }

  @Test(arguments: TraceCollector.Wire.allCases) func `collectors are reached by TLS, which knows both sides`(_ wire: TraceCollector.Wire)
    async throws
  {
    try await withScratch("tls") { scratch in
      let authority = try await TestAuthority(in: scratch)
      let server = try await authority.issue("server")
      let client = try await authority.issue("client")
      try await TraceCollector.with(tls: [server.certificate, server.key, authority.certificate]) { collector in
        let trust = "tls_ca = \"\(authority.certificate)\"\ntls_cert = \"\(client.certificate)\"\ntls_key = \"\(client.key)\""
        try await Node.with(settings: collector.settings(wire, secure: true, trust), launcher: TraceCollector.launcher) { node in
          _ = try await node.pods()
          try await collector.span(Self.service + "ListPodSandbox")
        }
        // One that is not trusted gets nothing.
        let count = try collector.requests().count
        try await Node.with(
          settings: collector.settings(wire, secure: true), launcher: TraceCollector.launcher + ["OTEL_BSP_EXPORT_TIMEOUT=500"]
        ) {
          node in
          _ = try await node.pods()
          try await eventually("the failure is said") { node.daemonLog().contains("traces cannot be sent") ? true : nil }
          #expect(try collector.requests().count == count)
        }
      }
    }
  }

  @Test(arguments: [
    (TraceCollector.Wire.http, ["http 503", "http 429 1", "ok"]), (.grpc, ["grpc UNAVAILABLE", "grpc RESOURCE_EXHAUSTED 50", "ok"]),
  ]) func `a busy collector is asked again when it says`(_ wire: TraceCollector.Wire, _ script: [String]) async throws {
    try await TraceCollector.with { collector in
      try collector.script(script.joined(separator: "\n"))
      try await Node.with(settings: collector.settings(wire), launcher: TraceCollector.launcher) { node in
        _ = try await node.pods()
        try await collector.span(Self.service + "ListPodSandbox")
        #expect(try collector.requests().count >= 3)
      }
    }
  }

  @Test(arguments: [
    (TraceCollector.Wire.http, "http 400"), (.grpc, "grpc INVALID_ARGUMENT"), (.grpc, "grpc RESOURCE_EXHAUSTED"),
    (.http, "partial 100 full"),
    (.grpc, "partial 100 full"),
  ]) func `what a collector refuses is counted, said once, and not sent again`(_ wire: TraceCollector.Wire, _ answer: String) async throws {
    try await TraceCollector.with { collector in
      try collector.script(answer)
      try await withScratch("metrics") { scratch in
        let settings = collector.settings(wire) + "[metrics]\naddress = \"unix://\(scratch)/m.sock\"\n"
        try await Node.with(settings: settings, launcher: TraceCollector.launcher) { node in
          _ = try await node.pods()
          let reason = answer.hasPrefix("partial") ? "rejected" : "export"
          try await eventually("they are counted") {
            try await dropped(scratch + "/m.sock", reason) > 0 ? true : nil
          }
          let word = answer.hasPrefix("partial") ? "the collector says: full" : "traces cannot be sent"
          #expect(node.daemonLog().contains(word), "\(node.daemonLog())")
        }
      }
    }
  }

  /// Of berthd's metrics.
  private func dropped(_ socket: String, _ reason: String) async throws -> Int {
    let output = try await Command.run(
      "/usr/bin/curl", ["-s", "--unix-socket", socket, "http://localhost/metrics"], timeout: .seconds(20))
    let lines = String(decoding: output.stdout, as: UTF8.self).split(separator: "\n")
    let line = lines.first { $0.hasPrefix("berth_trace_spans_dropped_total{reason=\"\(reason)\"}") }
    return line.flatMap { $0.split(separator: " ").last }.flatMap { Int($0) } ?? 0
  }

  @Test(arguments: TraceCollector.Wire.allCases) func `a collector that hangs delays no call and no end`(_ wire: TraceCollector.Wire)
    async throws
  {
    try await TraceCollector.with { collector in
      try collector.script("hang")
      try await withScratch("metrics") { scratch in
        let settings = collector.settings(wire) + "[metrics]\naddress = \"unix://\(scratch)/m.sock\"\n"
        try await Node.with(settings: settings, launcher: TraceCollector.launcher + ["OTEL_BSP_MAX_QUEUE_SIZE=100"]) { node in
          _ = try await node.pods()
          try await eventually("the collector has a batch") { try collector.requests().isEmpty ? nil : true }
          for _ in 0..<300 { _ = try await node.pods() }
          #expect(try await dropped(scratch + "/m.sock", "queue") >= 200)
          let pod = try await node.run(try node.podConfig("web"))
          try await node.remove(pod: pod)
          let daemon = try Pidfd.open(try node.processID())
          try daemon.signal(15)
          #expect(daemon.ended(within: 10_000))
          #expect(node.daemonLog().contains("spans could not be sent before the end") && node.daemonLog().contains("stopped; pods go on"))
          try await node.restart()
        }
      }
    }
  }

  @Test func `where nobody listens everything else goes on`() async throws {
    let settings = "[tracing]\nendpoint = \"127.0.0.1:1\"\n"
    try await Node.with(settings: settings, launcher: TraceCollector.launcher + ["OTEL_BSP_EXPORT_TIMEOUT=100"]) { node in
      let pod = try await node.run(try node.podConfig("web"))
      try await node.remove(pod: pod)
      try await eventually("it is said") { node.daemonLog().contains("traces cannot be sent") ? true : nil }
      #expect(node.daemonLog().split(separator: "\n").count { $0.contains("traces cannot be sent") } == 1)
    }
  }

  @Test(arguments: [
    ("endpoint = \"http://a b\"", "tracing.endpoint"), ("endpoint = \"a:1\"\nprotocol = \"json\"", "\"tracing.protocol\" must be grpc"),
    ("endpoint = \"a:1\"\ntls_ca = \"/no/such\"", "/no/such"), ("sampling_rate_per_million = -1", "sampling_rate_per_million"),
    ("tls_cert = \"/c\"", "tracing.tls_key"),
  ]) func `what cannot be is refused at the start`(_ keys: String, _ word: String) async throws {
    try await expectRefusedSettings("[tracing]\n" + keys, word)
  }
}
