import Core
import Linux
import Support
import Testing

@testable import CNI

struct HostPortTests {
  private func pod(hostPort: Int32 = 8080) -> NetworkAttachment {
    var pod = attachment()
    pod.portMappings = [.init(proto: "tcp", containerPort: 80, hostPort: hostPort, hostIP: "")]
    return pod
  }

  @Test func `portmap comes after a network's own plugins where none of them maps ports`() async throws {
    try await withScratch("cni-ports") { scratch in
      let plugins = try FakePlugins(scratch)
      try plugins.configure(plugins: ["bridge"])
      try plugins.install("portmap")
      let network = try plugins.network { $0.hostPorts = .portmap }
      let mapped = pod()
      _ = try await network.attach(mapped)
      #expect(plugins.calls == ["bridge ADD", "portmap ADD"])
      let input = try plugins.input("portmap", "ADD")
      #expect(input["runtimeConfig"]?["portMappings"]?.array?.count == 1 && input["prevResult"] != nil && input["name"] == "testnet")
      await network.close()
      let later = try plugins.network { $0.hostPorts = .network }
      try await later.detach(mapped.sandboxID, netnsPath: nil)
      #expect(plugins.calls.suffix(2) == ["portmap DEL", "bridge DEL"])
      _ = try await later.attach(pod(hostPort: 0))
      #expect(plugins.calls.last == "bridge ADD")
      await later.close()
    }
  }

  @Test func `a pod whose host ports nobody would map is refused, unless the network takes care of them`() async throws {
    try await withScratch("cni-ports") { scratch in
      let plugins = try FakePlugins(scratch)
      try plugins.configure(plugins: ["bridge"])
      let strict = try plugins.network { $0.hostPorts = .portmap }
      let error = await #expect(throws: Fault.self) { try await strict.attach(pod()) }
      #expect(error?.code == .failedPrecondition)
      let words = ["network: host port 8080", "\"testnet\"", "portmap is not found in", "[cni] host_ports"]
      let message = error?.message ?? ""
      #expect(words.allSatisfy { message.contains($0) }, "\(message)")
      let attachments = try strict.attachments()
      #expect(plugins.calls == [] && attachments == [])
      await strict.close()
      let trusting = try plugins.network { $0.hostPorts = .network }
      _ = try await trusting.attach(pod())
      #expect(plugins.calls == ["bridge ADD"])
      await trusting.close()
    }
  }

  @Test func `a real portmap that the network does not name leads into the pod`() async throws {
    try await RealPlugins.with { plugins in
      try plugins.configure()
      var settings = plugins.settings
      settings.hostPorts = .portmap
      let network = try CNINetwork(settings, logger: silent)
      var pod = attachment(netns: try await plugins.makePod())
      pod.portMappings = [.init(proto: "tcp", containerPort: 80, hostPort: 18080, hostIP: "")]
      _ = try await network.attach(pod)
      #expect(try await plugins.output(["iptables", "-t", "nat", "-S"]).contains("--to-destination 10.77.0.2:80"))
      try await network.detach(pod.sandboxID, netnsPath: pod.netnsPath)
      #expect(try await plugins.leftovers() == [])
      await network.close()
    }
  }
}
