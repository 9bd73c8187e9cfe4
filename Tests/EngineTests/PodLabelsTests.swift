import CRIAPI
import Core
import Spec
import SwiftProtobuf
import Testing

@testable import Engine

/// SELinux labels of pods on a node whose policy is enforced.
@Suite struct PodLabelsTests {
  private func settings(hostNetworkHasNone: Bool) throws -> EngineSettings {
    var node = NodeFacts()
    node.selinux = .enforced(
      try SELinuxContexts("process = \"system_u:system_r:container_t:s0\"\nfile = \"system_u:object_r:container_file_t:s0\"\n"))
    var settings = EngineSettings(state: "/s", runtimes: [:], node: node)
    settings.podDefaults.hostNetworkHasNoLabels = hostNetworkHasNone
    return settings
  }

  private func labels(
    hostNetworkHasNone: Bool, ownNetwork: Bool, _ change: (inout Runtime_V1_LinuxSandboxSecurityContext) -> Void = { _ in }
  ) throws -> SELinuxLabels? {
    let config = Runtime_V1_PodSandboxConfig.with { change(&$0.linux.securityContext) }
    let request = SandboxRequest(config: config, runtimeHandler: "")
    return try settings(hostNetworkHasNone: hostNetworkHasNone).labels(of: request, ownNetwork: ownNetwork, inUse: [])
  }

  @Test func `pods on the host's network have none where the operator says so, others and otherwise they do`() throws {
    for (hostNetworkHasNone, ownNetwork) in [(false, false), (false, true), (true, true)] {
      let labels = try #require(try labels(hostNetworkHasNone: hostNetworkHasNone, ownNetwork: ownNetwork))
      #expect(
        labels.process.hasPrefix("system_u:system_r:container_t:s0:c") && labels.file.hasPrefix("system_u:object_r:container_file_t:s0:c"))
    }
    #expect(try labels(hostNetworkHasNone: true, ownNetwork: false) == nil)
    #expect(try labels(hostNetworkHasNone: true, ownNetwork: false) { $0.selinuxOptions.type = "spc_t" } == nil)
  }

  @Test func `containers of such a pod have none either, whatever they ask for`() throws {
    let settings = try settings(hostNetworkHasNone: true)
    let asking = Runtime_V1_LinuxContainerSecurityContext.with { $0.selinuxOptions.type = "spc_t" }
    for context in [Runtime_V1_LinuxContainerSecurityContext(), asking] {
      #expect(try settings.node.labels(context, in: nil) == nil)
      #expect(try settings.node.labels(context, .initSystem, in: nil) == nil)
    }
  }
}
