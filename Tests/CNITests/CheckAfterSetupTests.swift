import Core
import Linux
import Support
import Testing

@testable import CNI

/// CHECK as part of an attachment (`[cni] check_after_setup`).
struct CheckAfterSetupTests {
  private func withNetwork(
    version: String = "1.0.0", networks: Int = 1, _ body: (FakePlugins, CNINetwork) async throws -> Void
  ) async throws {
    try await withScratch("cni") { directory in
      let plugins = try FakePlugins(directory)
      try plugins.configure(plugins: ["bridge", "tuner"], version: version)
      let network = try plugins.network { ($0.checksAttached, $0.networks) = (true, networks) }
      try await body(plugins, network)
      await network.close()
    }
  }

  @Test func `each plugin is asked after all have answered, with the last one's result`() async throws {
    try await withNetwork { plugins, network in
      let result = try await network.attach(attachment())
      #expect(plugins.calls == ["bridge ADD", "tuner ADD", "bridge CHECK", "tuner CHECK"])
      for plugin in ["bridge", "tuner"] {
        let previous = try #require(try plugins.input(plugin, "CHECK")["prevResult"])
        #expect(try Results.addresses(previous, ifName: "eth0") == result.addresses)
      }
    }
  }

  @Test func `a network that is not as it was made fails the pod and is detached with its result`() async throws {
    try await withNetwork { plugins, network in
      try plugins.plan("tuner", "CHECK", ["fail"])
      let pod = attachment()
      let error = await #expect(throws: Fault.self) { try await network.attach(pod) }
      #expect(error?.message == #"network: plugin "tuner" CHECK: no such bridge: br0 is gone"#)
      #expect(plugins.calls.suffix(2) == ["tuner DEL", "bridge DEL"])
      #expect(try plugins.input("bridge", "DEL")["prevResult"] != nil)
      #expect(try network.attachments().isEmpty && network.pending().isEmpty && network.result(pod.sandboxID) == nil)
      #expect(try Files.list(plugins.directory + "/root/cni") == ["pending"])
      _ = try await network.attach(pod)
      #expect(plugins.calls.suffix(4) == ["bridge ADD", "tuner ADD", "bridge CHECK", "tuner CHECK"])
    }
  }

  @Test func `every network of a pod is asked, those that cannot tell or are not to be asked excepted`() async throws {
    try await withNetwork(networks: 0) { plugins, network in
      let lists = [
        ("old", #""cniVersion":"0.3.1""#), ("silent", #""cniVersion":"0.4.0","disableCheck":true"#), ("new", #""cniVersion":"0.4.0""#),
      ]
      for (name, version) in lists {
        try plugins.configure(#"{\#(version),"name":"\#(name)","plugins":[{"type":"\#(name)"}]}"#, file: "20-\(name).conflist")
        try plugins.install(name)
      }
      _ = try await network.attach(attachment())
      #expect(plugins.calls.filter { $0.hasSuffix("CHECK") } == ["bridge CHECK", "tuner CHECK", "new CHECK"])
    }
  }

  /// Not portmap with host ports: Debian's looks for rules of both families, also where a pod has addresses of one.
  @Test(arguments: [[], [RealPlugins.portmap, RealPlugins.firewall]])
  func `Debian's plugins find what they made`(_ chained: [String]) async throws {
    try await RealPlugins.with { plugins in
      try plugins.configure(chained: chained)
      var settings = plugins.settings
      settings.checksAttached = true
      let network = try CNINetwork(settings, logger: silent)
      let pod = attachment(netns: try await plugins.makePod())
      _ = try await network.attach(pod)
      try await network.detach(pod.sandboxID, netnsPath: pod.netnsPath)
      #expect(try await plugins.leftovers() == [])
      await network.close()
    }
  }
}
