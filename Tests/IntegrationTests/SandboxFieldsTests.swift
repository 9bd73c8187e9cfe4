import CRIAPI
import Core
import GRPC
import Linux
import SwiftProtobuf
import Testing

/// Fields of PodSandboxConfig, seen from inside of containers that runc really runs.
@Suite(.serialized) struct SandboxFieldsTests {
  private func output(_ command: String, on node: Node, in pod: String, _ change: (inout Runtime_V1_ContainerConfig) -> Void = { _ in })
    async throws -> String
  {
    let id = try await node.launch("c\(Int.random(in: 0..<1_000_000))", ["sh", "-c", command], in: pod, change)
    let status = try await node.ended(id)
    let log = try await node.log(id, of: pod)
    #expect(status.exitCode == 0, "\(log)\(status.message)")
    return log
  }

  @Test func `sysctls are the pod's own, with the defaults that others have`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(
        try node.podConfig("sysctl") { $0.linux.sysctls = ["net/ipv4/ip_forward": "1", "kernel.shm_rmid_forced": "1"] })
      let names = "ip_unprivileged_port_start ping_group_range ip_forward"
      let text = try await output(
        "for n in \(names); do tr '\\t' ' ' < /proc/sys/net/ipv4/$n; done; cat /proc/sys/kernel/shm_rmid_forced", on: node, in: pod)
      #expect(text == "0\n0 2147483647\n1\n1\n")
      let own = try await node.run(try node.podConfig("own") { $0.linux.sysctls = ["net.ipv4.ip_unprivileged_port_start": "1000"] })
      #expect(try await output("cat /proc/sys/net/ipv4/ip_unprivileged_port_start", on: node, in: own) == "1000\n")
      await expectFault(.invalidArgument, "linux.sysctls[\"kernel.panic\"]") {
        _ = try await node.run(try node.podConfig("host") { $0.linux.sysctls = ["kernel.panic": "1"] })
      }
      await expectFault(.invalidArgument, "linux.sysctls[\"net.ipv4.ip_forward\"]") {
        _ = try await node.run(
          try node.podConfig("host") {
            $0.linux.sysctls = ["net.ipv4.ip_forward": "1"]
            $0.linux.securityContext.namespaceOptions.network = .node
          })
      }
    }
  }

  @Test func `a pod's names are looked up where it says, and its ports are the host's`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(
        try node.podConfig("names") {
          ($0.dnsConfig.servers, $0.dnsConfig.searches, $0.dnsConfig.options) = (["10.0.0.10"], ["a.example", "b.example"], ["ndots:5"])
          $0.portMappings = [.with { ($0.containerPort, $0.hostPort) = (80, 18080) }]
        })
      let text = try await output("cat /etc/resolv.conf", on: node, in: pod)
      #expect(text == "search a.example b.example\nnameserver 10.0.0.10\noptions ndots:5\n")
      let rules = try await Command.run("/usr/sbin/iptables", ["-t", "nat", "-S"], timeout: .seconds(10))
      let address = try await node.status(pod: pod).network.ip
      #expect(String(decoding: rules.stdout, as: UTF8.self).contains("--dport 18080 -j DNAT --to-destination \(address):80"))
    }
  }

  @Test func `a process of its own PID namespace is seen by a container that targets it`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("target") { $0.linux.securityContext.namespaceOptions.pid = .container })
      let main = try await node.launch("main", ["sleep", "4711"], in: pod) { $0.linux.securityContext.namespaceOptions.pid = .container }
      let text = try await output("ps", on: node, in: pod) {
        $0.linux.securityContext.namespaceOptions.pid = .target
        $0.linux.securityContext.namespaceOptions.targetID = main
      }
      #expect(text.contains("sleep 4711"), "\(text)")
    }
  }

  @Test func `two networks give two interfaces, and a template becomes a network`() async throws {
    try await Node.with(settings: "max_conf_num = 2\nip_pref = \"cni\"\n") { node in
      try await node.importBusybox()
      let second = #"""
        {"cniVersion": "1.0.0", "name": "\#(node.networkName)-2", "plugins": [{"type": "ptp", "ipam": {"type": "host-local",
          "dataDir": "\#(node.scratch)/ipam2", "ranges": [[{"subnet": "10.98.7.0/24"}]]}}]}
        """#
      try Files.write(second, to: node.networkConfig + "/20-second.conflist")
      let pod = try await node.run(try node.podConfig("two"))
      let text = try await output("ip -o -4 addr", on: node, in: pod)
      #expect(text.contains("eth0") && text.contains("eth1") && text.contains("10.98.7."), "\(text)")
      #expect(try await node.status(pod: pod).network.ip.hasPrefix("10.2"))
      try await node.restart()
      try await node.remove(pod: pod)
      #expect(try await node.pendingDetaches() == "[]")
    }
  }

  @Test func `the kubelet's pod CIDR is rendered where no network is configured`() async throws {
    try await Node.with { node in
      let path = node.scratch + "/config.toml"
      let text = String(decoding: try Files.read(path), as: UTF8.self)
      let template = node.scratch + "/template"
      try Files.write(text.replacing("[cni]\n", with: "[cni]\nconf_template = \"\(template)\"\n"), to: path)
      let list = #"{"cniVersion":"1.0.0","name":"t","plugins":[{"type":"bridge","ipam":{"type":"host-local","subnet":"{{.PodCIDR}}"}}]}"#
      try Files.write(list, to: template)
      try Files.remove(node.networkConfig + "/10-test.conflist")
      try await node.restart()
      try await node.update(podCIDR: "10.97.0.0/24,fd00:97::/64")
      let written = String(decoding: try Files.read(node.networkConfig + "/10-berth.conflist"), as: UTF8.self)
      #expect(written.contains(#""subnet":"10.97.0.0/24""#))
      let status = try await node.runtime("Status", Runtime_V1_StatusRequest(), returning: Runtime_V1_StatusResponse.self)
      #expect(status.status.conditions.allSatisfy { $0.status })
      await expectFault(.invalidArgument, "pod_cidr", "10.97.0.0/33") { try await node.update(podCIDR: "10.97.0.0/33") }
    }
  }

  @Test func `annotations reach the runtime where its handler lets them`() async throws {
    try await Node.with(settings: "[runtimes.runc]\npod_annotations = [\"run.oci.*\"]\n") { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("annotated") { $0.annotations = ["run.oci.x": "yes", "unseen.example": "no"] })
      let id = try await node.create(node.containerConfig("c", ["true"]), in: pod)
      let spec = try Files.read("\(node.state)/sandboxes/\(pod)/containers/\(id)/config.json")
      let text = String(decoding: spec, as: UTF8.self)
      #expect(text.contains(#""run.oci.x":"yes""#) && !text.contains("unseen"))
    }
  }
}

extension Node {
  func update(podCIDR: String) async throws {
    let request = Runtime_V1_UpdateRuntimeConfigRequest.with { $0.runtimeConfig.networkConfig.podCidr = podCIDR }
    _ = try await runtime("UpdateRuntimeConfig", request, returning: Runtime_V1_UpdateRuntimeConfigResponse.self)
  }
}
