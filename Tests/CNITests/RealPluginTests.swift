import Core
import Linux
import Support
import Testing

@testable import CNI

struct RealPluginTests {
  @Test(arguments: [[], [RealPlugins.portmap], [RealPlugins.portmap, RealPlugins.firewall]])
  func theBridgeKeepsTheContractAndLeavesNothing(_ chained: [String]) async throws {
    try await RealPlugins.with { plugins in
      try plugins.configure(chained: chained)
      let network = try plugins.network()
      try await PodNetworkContract(network) { try await plugins.makePod() }.check()
      #expect(try await plugins.leftovers() == [])
      await network.close()
    }
  }

  @Test(arguments: ["0.3.1", "0.4.0", "1.0.0"])
  func aPodGetsItsAddressItsRouteAndItsGatewayInEachVersion(_ version: String) async throws {
    try await RealPlugins.with { plugins in
      try plugins.configure(version: version, chained: [RealPlugins.portmap])
      let network = try plugins.network()
      let pod = attachment(netns: try await plugins.makePod())
      let result = try await network.attach(pod)
      #expect(result.addresses == ["10.77.0.2"])
      #expect(try await plugins.output(in: pod.netnsPath, ["ip", "-o", "-4", "addr", "show", "eth0"]).contains("10.77.0.2/24"))
      #expect(try await plugins.output(in: pod.netnsPath, ["ip", "route"]).contains("default via 10.77.0.1"))
      try await network.check(pod.sandboxID)
      try await network.detach(pod.sandboxID, netnsPath: pod.netnsPath)
      #expect(try await plugins.leftovers() == [])
      await network.close()
    }
  }

  @Test func aDualStackPodHasBothAddressesInTheConfigurationsOrder() async throws {
    for subnets in [["10.77.0.0/24", "fd77::/64"], ["fd77::/64", "10.77.0.0/24"]] {
      try await RealPlugins.with { plugins in
        try plugins.configure(subnets: subnets)
        let network = try plugins.network()
        let pod = attachment(netns: try await plugins.makePod())
        let expected = subnets[0].hasPrefix("fd") ? ["fd77::2", "10.77.0.2"] : ["10.77.0.2", "fd77::2"]
        #expect(try await network.attach(pod).addresses == expected)
        try await network.detach(pod.sandboxID, netnsPath: pod.netnsPath)
        #expect(try await plugins.leftovers() == [])
        await network.close()
      }
    }
  }

  @Test func aHostPortLeadsIntoThePodUntilItIsDetached() async throws {
    try await RealPlugins.with { plugins in
      try plugins.configure(chained: [RealPlugins.portmap])
      let network = try plugins.network()
      var pod = attachment(netns: try await plugins.makePod())
      pod.portMappings = [
        .init(proto: "TCP", containerPort: 80, hostPort: 18080, hostIP: ""),
        .init(proto: "udp", containerPort: 53, hostPort: 10053, hostIP: ""),
      ]
      _ = try await network.attach(pod)
      let rules = try await plugins.output(["iptables", "-t", "nat", "-S"])
      #expect(rules.contains("--to-destination 10.77.0.2:80") && rules.contains("--to-destination 10.77.0.2:53"))
      #expect(try await hello(plugins, pod.netnsPath, port: 18080) == "hello from the pod\n")
      try await network.detach(pod.sandboxID, netnsPath: pod.netnsPath)
      #expect(try await plugins.leftovers() == [])
      await network.close()
    }
  }

  /// Serves one connection on the pod's port 80 and makes it from the host through its loopback address.
  private func hello(_ plugins: RealPlugins, _ pod: String, port: Int) async throws -> String {
    let server = #"""
      alarm 20; my $s = IO::Socket::INET->new(Listen => 1, LocalPort => 80) or die $!; my $c = $s->accept; print $c "hello from the pod\n";
      """#
    let client = #"""
      alarm 20; my $c; until ($c = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => \#(port), Timeout => 2)) { select(undef, undef, undef, 0.02) }
      print <$c>;
      """#
    async let serving = plugins.output(in: pod, ["perl", "-MIO::Socket::INET", "-e", server])
    let answer = try await plugins.output(["perl", "-MIO::Socket::INET", "-e", client])
    _ = try await serving
    return answer
  }

  /// Without masquerading: the bridge plugin finds out what to take back of that by looking into the namespace.
  @Test func aPodWhoseNamespaceIsGoneGivesBackItsAddressAndRules() async throws {
    try await RealPlugins.with { plugins in
      try plugins.configure(masquerade: false, chained: [RealPlugins.portmap, RealPlugins.firewall])
      let network = try plugins.network()
      var pod = attachment(netns: try await plugins.makePod())
      pod.portMappings = [.init(proto: "tcp", containerPort: 80, hostPort: 18080, hostIP: "")]
      _ = try await network.attach(pod)
      #expect(try await plugins.leftovers().count > 3)
      try await plugins.removeNamespace(pod.netnsPath)
      try await network.detach(pod.sandboxID, netnsPath: pod.netnsPath)
      #expect(network.pending().isEmpty)
      // The kernel takes the veth away with the namespace, a moment later.
      for _ in 0..<200 where try await !plugins.leftovers().isEmpty { try await Task.sleep(for: .milliseconds(10)) }
      #expect(try await plugins.leftovers() == [])
      await network.close()
    }
  }

  @Test func aSubnetThatIsUsedUpSaysSoAndWorksAgainAfterADetach() async throws {
    try await RealPlugins.with { plugins in
      try plugins.configure(subnets: ["10.77.0.0/30"])
      let network = try plugins.network()
      let first = attachment(netns: try await plugins.makePod())
      let second = attachment(netns: try await plugins.makePod())
      _ = try await network.attach(first)
      let error = await #expect(throws: Fault.self) { try await network.attach(second) }
      #expect(
        error?.message.hasPrefix(#"network: plugin "bridge" ADD: "#) == true && error?.message.contains("no IP addresses available") == true
      )
      #expect(try network.attachments() == [first.sandboxID] && network.pending().isEmpty)
      try await network.detach(first.sandboxID, netnsPath: first.netnsPath)
      #expect(try await network.attach(second).addresses == ["10.77.0.2"])
      try await network.detach(second.sandboxID, netnsPath: second.netnsPath)
      #expect(try await plugins.leftovers() == [])
      await network.close()
    }
  }

  @Test func aPluginThatFailsAfterTheBridgeLeavesNothingOfIt() async throws {
    try await RealPlugins.with { plugins in
      try plugins.configure(chained: [#"{"type":"failing"}"#])
      try Files.write(
        #"#!/bin/sh\n[ $CNI_COMMAND = DEL ] || { echo '{"code":999,"msg":"not today"}'; exit 1; }"#.replacing("\\n", with: "\n"),
        to: plugins.directory + "/bin/failing", mode: 0o755)
      let network = try plugins.network()
      let pod = attachment(netns: try await plugins.makePod())
      let error = await #expect(throws: Fault.self) { try await network.attach(pod) }
      #expect(error?.message == #"network: plugin "failing" ADD: not today"#)
      #expect(try await plugins.leftovers() == [])
      #expect(try network.attachments().isEmpty && network.pending().isEmpty)
      await network.close()
    }
  }
}
