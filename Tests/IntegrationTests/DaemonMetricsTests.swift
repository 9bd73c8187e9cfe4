import CRIAPI
import Core
import GRPC
import Linux
import Support
import SwiftProtobuf
import Testing

/// What Prometheus reads.
@Suite(.serialized) struct DaemonMetricsTests {
  private func scrape(_ socket: String, _ path: String = "/metrics", _ more: String...) async throws -> Command.Output {
    try await Command.run(
      "/usr/bin/python3", ["-c", Self.client, socket, path], environment: ["PATH=/usr/bin:/bin"], timeout: .seconds(30))
  }

  /// GET over a Unix socket; the body on standard output, the status on standard error.
  private static let client = """
    import http.client, socket, sys
    class C(http.client.HTTPConnection):
      def connect(self):
        self.sock = socket.socket(socket.AF_UNIX); self.sock.connect(sys.argv[1])
    c = C("localhost"); c.request("GET", sys.argv[2]); r = c.getresponse()
    sys.stdout.write(r.read().decode()); sys.stderr.write(str(r.status))
    """

  @Test func `pulls, calls, pods and containers are told to who asks`() async throws {
    let image = ServedImage([try await PackedLayer([.file("a", String(repeating: "a", count: 5000))])])
    try await withScratch("metrics") { scratch in
      let socket = scratch + "/m.sock"
      try await withHostileServer {
        image.answer($0)
      } _: { server in
        try await Node.with(settings: "[metrics]\naddress = \"unix://\(socket)\"\n") { node in
          _ = try await node.pull(server.authority + "/test/image:1")
          _ = try? await node.pull("127.0.0.1:1/test/image:1")
          try await node.importBusybox()
          let pod = try await node.run(node.podConfig("web"))
          _ = try await node.launch("a", ["/bin/sleep", "600"], in: pod)
          let output = try await scrape(socket)
          #expect(output.errorText == "200")
          let lines = Set(String(decoding: output.stdout, as: UTF8.self).split(separator: "\n").map(String.init))
          for line in [
            #"berth_image_pulls_total{result="ok"} 2"#, #"berth_image_pulls_total{result="unavailable"} 1"#, "berth_images 2",
            #"berth_pods{state="ready"} 1"#, #"berth_pods{state="notReady"} 0"#, #"berth_containers{state="running"} 1"#, "berth_shims 1",
            "berth_image_pulls_in_progress 0", #"berth_registry_requests_total{status="200"} 3"#,
            #"berth_grpc_requests_total{service="runtime.v1.RuntimeService",method="RunPodSandbox",code="OK"} 1"#,
            #"berth_grpc_requests_total{service="runtime.v1.ImageService",method="PullImage",code="UNAVAILABLE"} 1"#,
            #"berth_image_layers_total{source="fetched"} 2"#, "# TYPE berth_grpc_request_seconds histogram",
          ] {
            #expect(lines.contains(line), "\(line) is not in\n\(lines.sorted().joined(separator: "\n"))")
          }
          let nothing = try await scrape(socket, "/other")
          #expect(nothing.errorText == "404")
        }
      }
    }
  }

  @Test func `an address that cannot be had costs the metrics, not the node`() async throws {
    try await Node.with(settings: "[metrics]\naddress = \"192.0.2.1:9\"\n") { node in
      #expect(node.daemonLog().contains("no metrics are served: metrics: listen on"))
      let images = try await node.images()
      #expect(images.isEmpty)
    }
  }
}
