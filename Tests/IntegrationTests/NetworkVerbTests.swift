import CRIAPI
import Core
import GRPC
import Linux
import Support
import SwiftProtobuf
import Testing

/// The verbs of CNI 1.1, as a plugin sees them from a whole berthd.
@Suite(.serialized, .timeLimit(.minutes(3))) struct NetworkVerbTests {
  private func with(capabilities: String = "{}", _ body: (Node, RecordingPlugin) async throws -> Void) async throws {
    try await withScratch("verbs") { scratch in
      let plugin = try RecordingPlugin(in: scratch)
      try await Node.with(settings: "bin_dirs = [\"\(scratch)\"]\n") { node in
        try plugin.configure(node, capabilities: capabilities)
        try await body(node, plugin)
      }
    }
  }

  private func condition(_ node: Node) async throws -> Runtime_V1_RuntimeCondition {
    let status = try await node.runtime("Status", Runtime_V1_StatusRequest(), returning: Runtime_V1_StatusResponse.self)
    #expect(status.status.conditions.first { $0.type == "RuntimeReady" }?.status == true)
    return try #require(status.status.conditions.first { $0.type == "NetworkReady" })
  }

  @Test func `a network that says by STATUS that it is not well makes the node not ready, in its words, until it is`() async throws {
    try await with { node, plugin in
      #expect(try await condition(node).status)
      let asked = try plugin.calls("STATUS")
      #expect(asked.last?.input["name"]?.string == node.networkName && asked.last?.input["cniVersion"] == "1.1.0")
      #expect(asked.last?.environment.contains { $0.hasPrefix("CNI_NETNS=") || $0.hasPrefix("CNI_CONTAINERID=") } == false)
      try plugin.fail("STATUS", code: 50, "the agent is not connected")
      let broken = try await condition(node)
      #expect(!broken.status && broken.reason == "NetworkPluginNotReady")
      #expect(broken.message == #"network: plugin "recorder" STATUS: the agent is not connected"#)
      try plugin.heal("STATUS")
      #expect(try await condition(node).status)
    }
  }

  /// What the last GC was told of, once there have been so many.
  private func valid(_ plugin: RecordingPlugin, after count: Int) async throws -> [[String]] {
    let calls = try await eventually("GC was called") {
      let calls = try plugin.calls("GC")
      return calls.count > count ? calls : nil
    }
    #expect(calls.count == count + 1)
    let attachments = try #require(calls.last?.input["cni.dev/valid-attachments"]?.array)
    return attachments.map { [$0["containerID"]?.string ?? "", $0["ifname"]?.string ?? ""] }.sorted { $0[0] < $1[0] }
  }

  private func valid(_ plugin: RecordingPlugin, restarting node: Node) async throws -> [[String]] {
    let count = try plugin.calls("GC").count
    try await node.restart()
    return try await valid(plugin, after: count)
  }

  @Test func `a restart has GC release all but what pods have, and what a DEL that failed still has to`() async throws {
    try await with { node, plugin in
      #expect(try await valid(plugin, restarting: node) == [])
      let pods = [try await node.run(try node.podConfig("a")), try await node.run(try node.podConfig("b"))].sorted()
      _ = try await node.run(try node.podConfig("host") { $0.linux.securityContext.namespaceOptions.network = .node })
      #expect(try await valid(plugin, restarting: node) == pods.map { [$0, "eth0"] })
      try await node.remove(pod: pods[0])
      #expect(try await valid(plugin, restarting: node) == [[pods[1], "eth0"]])
      try plugin.fail("DEL", code: 11, "busy")
      try await node.remove(pod: pods[1])
      #expect(try await node.pods().count == 1)
      #expect(try await valid(plugin, restarting: node) == [[pods[1], "eth0"]])
      try plugin.heal("DEL")
      try await eventually("the DEL is made up for") { try await node.pendingDetaches() == "[]" ? true : nil }
      #expect(try await valid(plugin, restarting: node) == [])
    }
  }

  @Test func `a GC that fails is said and harms no pod`() async throws {
    try await with { node, plugin in
      let pod = try await node.run(try node.podConfig("kept"))
      try plugin.fail("GC", code: 100, "no such table")
      #expect(try await valid(plugin, restarting: node) == [[pod, "eth0"]])
      try await eventually("it is said") { node.daemonLog().contains("plugin \"recorder\" GC: no such table") ? true : nil }
      #expect(try await node.status(pod: pod).state == .sandboxReady)
      #expect(try await node.status(pod: try await node.run(try node.podConfig("next"))).state == .sandboxReady)
    }
  }

  @Test func `a restart has each pod's network CHECKed with what its ADD had given`() async throws {
    try await with { node, plugin in
      let pod = try await node.run(try node.podConfig("checked"))
      let address = try await node.status(pod: pod).network.ip
      #expect(try plugin.calls("CHECK").isEmpty)
      try plugin.fail("CHECK", code: 100, "the rule is gone")
      try await node.restart()
      let call = try await eventually("it is checked") { try plugin.calls("CHECK").last }
      #expect(call.environment.isSuperset(of: ["CNI_CONTAINERID=\(pod)", "CNI_IFNAME=eth0"]))
      #expect(call.input["prevResult"]?["ips"]?.array?.first?["address"]?.string == address + "/24")
      try await eventually("it is said") { node.daemonLog().contains("plugin \"recorder\" CHECK: the rule is gone") ? true : nil }
      let status = try await node.status(pod: pod)
      #expect(status.state == .sandboxReady && status.network.ip == address)
    }
  }

  private static let capabilities = #"""
    {"portMappings": true, "bandwidth": true, "ips": true, "mac": true, "dns": true, "cgroupPath": true,
     "io.kubernetes.cri.pod-annotations": true}
    """#

  @Test func `what a pod asks of its network reaches plugins that ask for it, at ADD and at DEL after a restart`() async throws {
    let annotations = [
      "kubernetes.io/ingress-bandwidth": "10M", "kubernetes.io/egress-bandwidth": "1.5Mi",
      "berth.dev/cni-ips": "10.96.0.77/24, fd00::77/64", "berth.dev/cni-mac": "02:42:0a:60:00:4d",
    ]
    try await with(capabilities: Self.capabilities) { node, plugin in
      let pod = try await node.run(
        try node.podConfig("asking") {
          $0.annotations = annotations
          ($0.dnsConfig.servers, $0.dnsConfig.searches, $0.dnsConfig.options) = (["10.0.0.10"], ["a.example"], ["ndots:5"])
          $0.portMappings = [
            .with { ($0.containerPort, $0.hostPort, $0.hostIp) = (80, 18080, "127.0.0.1") },
            .with { ($0.protocol, $0.containerPort, $0.hostPort) = (.sctp, 90, 90) }, .with { $0.containerPort = 91 },
          ]
        })
      let added = try #require(try plugin.calls("ADD").first)
      let names = "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=asking"
      #expect(added.environment.contains("CNI_ARGS=\(names);K8S_POD_INFRA_CONTAINER_ID=\(pod);K8S_POD_UID=uid-asking"))
      let given = try #require(added.input["runtimeConfig"])
      #expect(
        given["portMappings"] == [
          ["hostPort": 18080, "containerPort": 80, "protocol": "tcp", "hostIP": "127.0.0.1"],
          ["hostPort": 90, "containerPort": 90, "protocol": "sctp"],
        ])
      #expect(
        given["bandwidth"] == [
          "ingressRate": 10_000_000, "ingressBurst": 4_294_967_295, "egressRate": 1_572_864, "egressBurst": 4_294_967_295,
        ])
      #expect(given["ips"] == ["10.96.0.77/24", "fd00::77/64"] && given["mac"] == "02:42:0a:60:00:4d")
      #expect(given["dns"] == ["servers": ["10.0.0.10"], "searches": ["a.example"], "options": ["ndots:5"]])
      #expect(given["cgroupPath"]?.string == Node.cgroup)
      for (key, value) in annotations { #expect(given["io.kubernetes.cri.pod-annotations"]?[key]?.string == value) }
      #expect(given.members?.count == 7)
      try await node.restart()
      try await node.remove(pod: pod)
      #expect(try plugin.calls("DEL").map { $0.input["runtimeConfig"] } == [given])
    }
  }

  @Test func `a plugin is told nothing that it does not ask for`() async throws {
    try await with(capabilities: #"{"mac": true, "bandwidth": false, "ipRanges": true}"#) { node, plugin in
      let annotations = ["kubernetes.io/ingress-bandwidth": "10M", "berth.dev/cni-mac": "02:42:0a:60:00:4d"]
      _ = try await node.run(try node.podConfig("modest") { $0.annotations = annotations })
      #expect(try plugin.calls("ADD").map { $0.input["runtimeConfig"] } == [["mac": "02:42:0a:60:00:4d"]])
    }
  }
}
