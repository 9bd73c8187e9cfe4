import CRIAPI
import Core
import GRPC
import Linux
import Support
import SwiftProtobuf
import Testing

/// What Prometheus reads.
@Suite(.serialized) struct DaemonMetricsTests {
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
          let told = try await Scrape(socket)
          #expect(told.status == "200")
          let lines = told.lines
          for line in [
            #"berth_image_pulls_total{result="ok"} 2"#, #"berth_image_pulls_total{result="unavailable"} 1"#, "berth_images 2",
            #"berth_pods{state="ready"} 1"#, #"berth_pods{state="notReady"} 0"#, #"berth_containers{state="running"} 1"#, "berth_shims 1",
            "berth_image_pulls_in_progress 0", #"berth_registry_requests_total{status="200"} 3"#,
            #"berth_grpc_requests_total{service="runtime.v1.RuntimeService",method="RunPodSandbox",code="OK"} 1"#,
            #"berth_grpc_requests_total{service="runtime.v1.ImageService",method="PullImage",code="UNKNOWN"} 1"#,
            #"berth_image_layers_total{source="fetched"} 2"#, "# TYPE berth_grpc_request_seconds histogram",
          ] {
            #expect(lines.contains(line), "\(line) is not in\n\(lines.sorted().joined(separator: "\n"))")
          }
          #expect((told["berth_image_layer_bytes_count"] ?? 0) == 2 && (told["berth_image_pull_bytes_per_second_count"] ?? 0) == 2)
          #expect(told["berth_image_skipped_bytes_total"] == 0)
          _ = try await node.pull(server.authority + "/test/image:1")
          let again = try await Scrape(socket)
          #expect((again["berth_image_skipped_bytes_total"] ?? 0) > 0 && again["berth_image_layer_bytes_count"] == 2)
          #expect(again.lines.contains(#"berth_image_layers_total{source="present"} 1"#))
          let nothing = try await Scrape(socket, "/other")
          #expect(nothing.status == "404")
        }
      }
    }
  }

  /// GET of `argv[1]`; the others are an authority and a client's certificate and key, for https. The status, or why there is none.
  private static let webClient = """
    import ssl, sys, urllib.request
    context = None
    if len(sys.argv) > 2: context = ssl.create_default_context(cafile=sys.argv[2])
    if len(sys.argv) > 3: context.load_cert_chain(sys.argv[3], sys.argv[4])
    try:
      r = urllib.request.urlopen(sys.argv[1], context=context, timeout=20)
      print(r.status, "berth_images 0" in r.read().decode().split("\\n"))
    except OSError as e: print("refused", e)
    """

  private func get(_ arguments: String...) async throws -> String {
    let output = try await Command.run(
      "/usr/bin/python3", ["-c", Self.webClient] + arguments, environment: ["PATH=/usr/bin:/bin"], timeout: .seconds(30))
    return String(decoding: output.stdout, as: UTF8.self).split(separator: "\n").joined()
  }

  @Test func `they are served by TCP, and by TLS to clients that may have them`() async throws {
    let port = try await Loopback.freePort()
    try await Node.with(settings: "[metrics]\naddress = \"127.0.0.1:\(port)\"\n") { _ in
      let answer1 = try await get("http://127.0.0.1:\(port)/metrics")
      #expect(answer1 == "200 True")
    }
    try await withScratch("metrics") { scratch in
      let (authority, stranger) = (try await TestAuthority(in: scratch), try await TestAuthority(in: scratch, name: "stranger"))
      let (server, client) = (try await authority.issue("server"), try await authority.issue("client"))
      let foreign = try await stranger.issue("foreign")
      let tls = "tls_cert = \"\(server.certificate)\"\ntls_key = \"\(server.key)\"\n"
      let address = "[metrics]\naddress = \"127.0.0.1:\(port)\"\n", url = "https://127.0.0.1:\(port)/metrics"
      try await Node.with(settings: address + tls) { _ in
        let answer2 = try await get(url, authority.certificate)
        #expect(answer2 == "200 True")
        let answer3 = try await get(url, stranger.certificate)
        #expect(answer3.hasPrefix("refused"))
        let answer4 = try await get("http://127.0.0.1:\(port)/metrics")
        #expect(answer4.hasPrefix("refused"))
      }
      try await Node.with(settings: address + tls + "tls_client_ca = \"\(authority.certificate)\"\n") { _ in
        let answer5 = try await get(url, authority.certificate, client.certificate, client.key)
        #expect(answer5 == "200 True")
        let answer6 = try await get(url, authority.certificate)
        #expect(answer6.hasPrefix("refused"))
        let answer7 = try await get(url, authority.certificate, foreign.certificate, foreign.key)
        #expect(answer7.hasPrefix("refused"))
      }
    }
  }

  @Test func `an address that cannot be had costs the metrics, not the node`() async throws {
    try await withScratch("metrics") { scratch in
      let socket = scratch + "/m.sock"
      try await Node.with(settings: "[metrics]\naddress = \"192.0.2.1:9\"\nsocket = \"\(socket)\"\n") { node in
        #expect(node.daemonLog().contains("metrics are not served: metrics: listen on 192.0.2.1:9"))
        let images = try await node.images()
        #expect(images.isEmpty)
        let told = try await Scrape(socket)
        #expect(told.status == "200")
      }
    }
  }

  @Test func `an address and a socket tell the same, and messages of streams count while they last`() async throws {
    try await withScratch("metrics") { scratch in
      let (socket, port) = (scratch + "/m.sock", try await Loopback.freePort())
      try await Node.with(settings: "[metrics]\naddress = \"127.0.0.1:\(port)\"\nsocket = \"\(socket)\"\n") { node in
        let answer = try await get("http://127.0.0.1:\(port)/metrics")
        #expect(answer == "200 True")
        let stream = try node.berth().serverStreaming(
          "/runtime.v1.RuntimeService/GetContainerEvents", Runtime_V1_GetEventsRequest(), returning: Runtime_V1_ContainerEventResponse.self)
        let pod = try await node.run(node.podConfig("told"))
        var events = stream.makeAsyncIterator()
        let first = try await events.next()
        #expect(first?.containerID == pod)
        let told = try await Scrape(socket)
        func count(_ direction: String, _ method: String) -> Double? {
          told[#"berth_grpc_messages_\#(direction)_total{service="runtime.v1.RuntimeService",method="\#(method)"}"#]
        }
        #expect(count("received", "RunPodSandbox") == 1 && count("sent", "RunPodSandbox") == 1)
        #expect(count("received", "GetContainerEvents") == 1 && (count("sent", "GetContainerEvents") ?? 0) >= 1)
      }
    }
  }
}
