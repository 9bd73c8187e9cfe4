import Core
import Linux
import Support
import Testing

@testable import CNI

struct CNINetworkTests {
  private func withPlugins(
    _ names: [String], version: String = "1.0.0", capabilities: String = "{}", _ body: (FakePlugins) async throws -> Void
  )
    async throws
  {
    try await withScratch("cni") { directory in
      let plugins = try FakePlugins(directory)
      try plugins.configure(plugins: names, version: version, capabilities: capabilities)
      try await body(plugins)
    }
  }

  @Test func theFakeKeepsTheContract() async throws {
    try await PodNetworkContract(FakePodNetwork()) { "/run/netns/fake" }.check()
  }

  @Test func keepsTheContractWithPluginsThatDoNothing() async throws {
    try await withPlugins(["bridge", "tuner"]) { plugins in
      let network = try plugins.network()
      try await PodNetworkContract(network) { "/proc/self/ns/net" }.check()
      await network.close()
      #expect(try Files.list(plugins.directory + "/root/cni") == ["pending"])
      #expect(try Files.list(plugins.directory + "/root/cni/pending").isEmpty)
    }
  }

  @Test func pluginsGetTheEnvironmentAndInputOfTheSpecification() async throws {
    try await withPlugins(["bridge", "tuner"], capabilities: #"{"cgroupPath":true,"dns":true,"mac":false}"#) { plugins in
      let network = try plugins.network()
      var pod = attachment("abc")
      pod.cgroupParent = "/kubepods/x"
      pod.annotations = ["not": "declared"]
      _ = try await network.attach(pod)
      let environment = plugins.environment("bridge", "ADD")
      for variable in [
        "CNI_COMMAND=ADD", "CNI_CONTAINERID=abc", "CNI_NETNS=/proc/self/ns/net", "CNI_IFNAME=eth0",
        "CNI_ARGS=\(try Capabilities.arguments(pod))", "CNI_PATH=\(plugins.directory)/none:\(plugins.directory)/bin",
      ] { #expect(environment.contains(variable)) }
      #expect(environment.contains { $0.hasPrefix("PATH=") } && !environment.contains { $0.hasPrefix("NOTIFY_SOCKET") })
      let first = try plugins.input("bridge", "ADD")
      #expect(
        first["name"] == "testnet" && first["cniVersion"] == "1.0.0" && first["kept"] == .number("1.50") && first["prevResult"] == nil)
      #expect(first["runtimeConfig"] == ["cgroupPath": "/kubepods/x"])
      #expect(try plugins.input("tuner", "ADD")["prevResult"]?["ips"]?.array?.count == 1)
      await network.close()
    }
  }

  @Test func deletionGoesBackwardsWithTheLastResultAndTheOldConfiguration() async throws {
    try await withPlugins(["bridge", "tuner"]) { plugins in
      let network = try plugins.network()
      let pod = attachment()
      let result = try await network.attach(pod)
      try plugins.configure(#"{"cniVersion":"1.0.0","name":"other","plugins":[{"type":"other"}]}"#)
      try await network.detach(pod.sandboxID, netnsPath: pod.netnsPath)
      #expect(plugins.calls == ["bridge ADD", "tuner ADD", "tuner DEL", "bridge DEL"])
      for plugin in ["bridge", "tuner"] {
        let input = try plugins.input(plugin, "DEL")
        #expect(input["name"] == "testnet")
        #expect(try input["prevResult"].map { try Results.addresses($0, ifName: "eth0") } == result.addresses)
      }
      await network.close()
    }
  }

  @Test func beforeVersion040DeletionHasNoPreviousResult() async throws {
    try await withPlugins(["bridge"], version: "0.3.1") { plugins in
      let network = try plugins.network()
      let pod = attachment()
      _ = try await network.attach(pod)
      try await network.detach(pod.sandboxID, netnsPath: nil)
      #expect(try plugins.input("bridge", "DEL")["prevResult"] == nil)
      await network.close()
    }
  }

  @Test func aNamespaceThatIsGoneIsPassedOnAsEmpty() async throws {
    try await withPlugins(["bridge"]) { plugins in
      let network = try plugins.network()
      let stale = plugins.directory + "/stale"
      try Files.write("", to: stale)
      for (number, path) in ["/run/netns/none", stale].enumerated() {
        let pod = attachment(netns: path)
        _ = try await network.attach(pod)
        try await network.detach(pod.sandboxID, netnsPath: nil)
        #expect(plugins.environment("bridge", "DEL", number + 1).contains("CNI_NETNS="))
      }
      await network.close()
    }
  }

  @Test func portmapIsNotCalledForAPodWithoutHostPorts() async throws {
    try await withPlugins(["bridge", "portmap"], capabilities: #"{"portMappings":true}"#) { plugins in
      let network = try plugins.network()
      var pod = attachment()
      pod.portMappings = [.init(proto: "tcp", containerPort: 80, hostPort: 0, hostIP: "")]
      _ = try await network.attach(pod)
      try await network.check(pod.sandboxID)
      try await network.detach(pod.sandboxID, netnsPath: nil)
      #expect(plugins.calls == ["bridge ADD", "bridge CHECK", "bridge DEL"])
      var mapped = attachment()
      mapped.portMappings = [.init(proto: "tcp", containerPort: 80, hostPort: 8080, hostIP: "")]
      _ = try await network.attach(mapped)
      #expect(try plugins.input("portmap", "ADD")["runtimeConfig"]?["portMappings"]?.array?.count == 1)
      try await network.detach(mapped.sandboxID, netnsPath: nil)
      #expect(plugins.calls.suffix(4) == ["bridge ADD", "portmap ADD", "portmap DEL", "bridge DEL"])
      #expect(try plugins.input("portmap", "DEL")["runtimeConfig"]?["portMappings"]?.array?.count == 1)
      await network.close()
    }
  }

  @Test func whatWasAttachedIsKnownAfterARestart() async throws {
    try await withPlugins(["bridge"]) { plugins in
      let first = try plugins.network()
      let pod = attachment()
      let result = try await first.attach(pod)
      await first.close()
      let second = try plugins.network()
      #expect(try second.attachments() == [pod.sandboxID])
      #expect(second.result(pod.sandboxID) == result)
      #expect(try await second.attach(pod) == result)
      try await second.detach(pod.sandboxID, netnsPath: nil)
      #expect(plugins.calls == ["bridge ADD", "bridge DEL"])
      await second.close()
    }
  }

  @Test func anAttachmentCutShortIsListedAndUndone() async throws {
    try await withPlugins(["bridge"]) { plugins in
      let pod = attachment()
      let record = try AttachmentRecord(pod, networks: try ConfigurationDirectory(path: plugins.directory + "/conf").networks())
      try Files.makeDirectories(plugins.directory + "/root/cni")
      try Files.write(record.json.bytes, to: "\(plugins.directory)/root/cni/\(pod.sandboxID).json")
      try Files.write("{", to: "\(plugins.directory)/root/cni/\(pod.sandboxID).json.tmp")
      let network = try plugins.network()
      #expect(try network.attachments() == [pod.sandboxID] && network.result(pod.sandboxID) == nil)
      _ = try await network.attach(pod)
      #expect(plugins.calls == ["bridge DEL", "bridge ADD"])
      try await network.detach(pod.sandboxID, netnsPath: nil)
      #expect(try Files.list(plugins.directory + "/root/cni") == ["pending"])
      await network.close()
    }
  }

  @Test(arguments: ["", "{", "null", #"{"format":1}"#, #"{"format":99,"sandboxID":"abc"}"#])
  func aDamagedRecordIsDetachedWithTheCurrentConfiguration(_ content: String) async throws {
    try await withPlugins(["bridge"]) { plugins in
      try Files.makeDirectories(plugins.directory + "/root/cni")
      try Files.write(content, to: "\(plugins.directory)/root/cni/abc.json")
      try Files.write(content, to: "\(plugins.directory)/root/cni/.hidden.json")
      let network = try plugins.network()
      #expect(try network.attachments() == ["abc"])
      try await network.detach("abc", netnsPath: nil)
      #expect(plugins.environment("bridge", "DEL").contains("CNI_CONTAINERID=abc"))
      #expect(try network.attachments().isEmpty && network.pending().isEmpty)
      await network.close()
    }
  }

  @Test func aFullDiskFailsTheAttachmentBeforeAnyPluginRuns() async throws {
    try await withPlugins(["bridge"]) { plugins in
      try await withTmpfs(plugins.directory + "/small", size: "64k") { small in
        let network = try plugins.network { $0.root = small }
        try fillUp(small + "/ballast")
        let error = await #expect(throws: Fault.self) { try await network.attach(attachment()) }
        #expect(error?.code == .resourceExhausted && error?.message.hasPrefix("network: write") == true)
        #expect(plugins.calls.isEmpty)
        await network.close()
      }
    }
  }

  @Test func statusAndGarbageCollectionAreAskedOfPluginsThatKnowThem() async throws {
    try await withPlugins(["bridge", "tuner"], version: "1.1.0") { plugins in
      let network = try plugins.network()
      _ = try await network.attach(attachment("abc"))
      try await network.status()
      try plugins.plan("bridge", "GC", ["fail"])
      let error = await #expect(throws: Fault.self) { try await network.collectGarbage() }
      #expect(error?.message == #"network: plugin "bridge" GC: no such bridge: br0 is gone"#)
      #expect(plugins.calls.suffix(4) == ["bridge STATUS", "tuner STATUS", "bridge GC", "tuner GC"])
      #expect(try plugins.input("tuner", "GC")["cni.dev/valid-attachments"] == [["containerID": "abc", "ifname": "eth0"]])
      try plugins.plan("tuner", "STATUS", ["", "fail"])
      await #expect(throws: Fault.self) { try await network.status() }
      await network.close()
    }
  }

  @Test func aPodThatWaitsForAGarbageCollectionIsKnownToTheNextOne() async throws {
    try await withPlugins(["bridge"], version: "1.1.0") { plugins in
      let network = try plugins.network()
      try Files.write("", to: plugins.directory + "/log/hold")
      try plugins.plan("bridge", "GC", ["held"])
      async let collected: Void = network.collectGarbage()
      #expect(try await eventually { plugins.calls == ["bridge GC"] })
      async let attached = network.attach(attachment("late"))
      #expect(try await eventually { (try? network.attachments()) == ["late"] })
      #expect(plugins.calls == ["bridge GC"])
      try Files.remove(plugins.directory + "/log/hold")
      _ = try await (collected, attached)
      #expect(plugins.calls == ["bridge GC", "bridge ADD"])
      await network.close()
    }
  }

  @Test func callsForOneSandboxFollowEachOther() async throws {
    try await withPlugins(["bridge"]) { plugins in
      let network = try plugins.network()
      let pod = attachment()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<12 {
          group.addTask {
            if number % 2 == 0 { _ = try await network.attach(pod) } else { try await network.detach(pod.sandboxID, netnsPath: nil) }
          }
        }
        try await group.waitForAll()
      }
      try await network.detach(pod.sandboxID, netnsPath: nil)
      let calls = plugins.calls
      for (number, call) in calls.enumerated() { #expect(call == (number % 2 == 0 ? "bridge ADD" : "bridge DEL")) }
      #expect(calls.count % 2 == 0)
      await network.close()
    }
  }

  @Test func aSandboxIDThatWouldBeAPathIsRefused() async throws {
    try await withPlugins(["bridge"]) { plugins in
      let network = try plugins.network()
      for id in ["", "../x", "a/b", ".x"] {
        let error = await #expect(throws: Fault.self) { try await network.attach(attachment(id)) }
        #expect(error?.code == .invalidArgument)
        try await network.detach(id, netnsPath: nil)
      }
      #expect(plugins.calls.isEmpty)
      await network.close()
    }
  }
}
