import CRIAPI
import Core
import GRPC
import Linux
import SwiftProtobuf
import Testing

/// How pods and containers are found, listed and shown.
@Suite(.serialized, .timeLimit(.minutes(5))) struct LookupTests {
  private typealias Nothing = Google_Protobuf_Empty

  @Test func `the beginning of an ID will do for every call`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("short"))
      let full = try await node.create(
        node.containerConfig("main", ["/bin/sleep", "1000"]) { $0.stdin = true }, in: String(pod.prefix(13)))
      let (id, sandbox) = (String(full.prefix(13)), String(pod.prefix(13)))
      let container = Runtime_V1_ContainerStatusRequest.with { $0.containerID = id }
      try await node.start(container: id)
      #expect(try await node.status(container: id).id == full)
      #expect(try await node.status(pod: sandbox).id == pod)
      #expect(try await node.exec(id, ["true"]).exitCode == 0)
      let limits = Runtime_V1_UpdateContainerResourcesRequest.with { ($0.containerID, $0.linux.cpuShares) = (id, 512) }
      _ = try await node.runtime("UpdateContainerResources", limits, returning: Nothing.self)
      let sums = Runtime_V1_UpdatePodSandboxResourcesRequest.with { ($0.podSandboxID, $0.resources.cpuShares) = (sandbox, 512) }
      _ = try await node.runtime("UpdatePodSandboxResources", sums, returning: Nothing.self)
      // One field of the same number in all of these.
      for method in ["ReopenContainerLog", "ContainerStats"] { _ = try await node.runtime(method, container, returning: Nothing.self) }
      let exec = Runtime_V1_ExecRequest.with { ($0.containerID, $0.cmd, $0.stdout) = (id, ["true"], true) }
      #expect(try await !node.runtime("Exec", exec, returning: Runtime_V1_ExecResponse.self).url.isEmpty)
      let attach = Runtime_V1_AttachRequest.with { ($0.containerID, $0.stdin, $0.stdout) = (id, true, true) }
      #expect(try await !node.runtime("Attach", attach, returning: Runtime_V1_AttachResponse.self).url.isEmpty)
      let forward = Runtime_V1_PortForwardRequest.with { ($0.podSandboxID, $0.port) = (sandbox, [80]) }
      #expect(try await !node.runtime("PortForward", forward, returning: Runtime_V1_PortForwardResponse.self).url.isEmpty)
      let stats = Runtime_V1_PodSandboxStatsRequest.with { $0.podSandboxID = sandbox }
      #expect(
        try await node.runtime("PodSandboxStats", stats, returning: Runtime_V1_PodSandboxStatsResponse.self).stats.attributes.id == pod)
      try await node.stop(container: id, timeout: 0)
      #expect(try await node.status(container: full).state == .containerExited)
      try await node.remove(container: id)
      try await node.stop(pod: sandbox)
      try await node.remove(pod: sandbox)
      #expect(try await node.pods().isEmpty)
      #expect(try await node.containers().isEmpty)
    }
  }

  @Test func `a beginning that several have is an error, and stops and removes nothing`() async throws {
    try await Node.with { node in
      // Seventeen IDs: two of them begin alike.
      for number in 0..<17 {
        _ = try await node.run(try node.podConfig("many\(number)") { $0.linux.securityContext.namespaceOptions.network = .node })
      }
      let ids = try await node.pods().map(\.id)
      let digit = try #require(Dictionary(grouping: ids) { $0.prefix(1) }.first { $0.value.count > 1 }?.key)
      await expectFault(.invalidArgument, String(digit)) { _ = try await node.status(pod: String(digit)) }
      await expectFault(.invalidArgument, String(digit)) { try await node.remove(pod: String(digit)) }
      #expect(try await node.pods().count == 17)
    }
  }

  @Test func `conditions of a filter hold together`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let first = try await node.run(try node.podConfig("first") { $0.labels = ["app": "a", "tier": "x"] })
      let second = try await node.run(try node.podConfig("second") { $0.labels = ["app": "a"] })
      try await node.stop(pod: second)
      func pods(_ change: (inout Runtime_V1_PodSandboxFilter) -> Void) async throws -> Set<String> {
        let request = Runtime_V1_ListPodSandboxRequest.with { change(&$0.filter) }
        return Set(try await node.runtime("ListPodSandbox", request, returning: Runtime_V1_ListPodSandboxResponse.self).items.map(\.id))
      }
      #expect(try await pods { $0.labelSelector = ["app": "a"] } == [first, second])
      #expect(try await pods { $0.labelSelector = ["app": "a", "tier": "x"] } == [first])
      #expect(try await pods { ($0.labelSelector, $0.state.state) = (["app": "a"], .sandboxNotready) } == [second])
      #expect(try await pods { ($0.id, $0.state.state) = (String(first.prefix(12)), .sandboxReady) } == [first])
      #expect(try await pods { ($0.id, $0.labelSelector) = (String(second.prefix(12)), ["tier": "x"]) } == [])
      let running = try await node.launch("running", ["sleep", "1000"], in: first) { $0.labels = ["role": "r"] }
      let made = try await node.create(node.containerConfig("made", ["true"]) { $0.labels = ["role": "r"] }, in: first)
      func containers(_ change: (inout Runtime_V1_ContainerFilter) -> Void) async throws -> Set<String> {
        let request = Runtime_V1_ListContainersRequest.with { change(&$0.filter) }
        return Set(
          try await node.runtime("ListContainers", request, returning: Runtime_V1_ListContainersResponse.self).containers.map(\.id))
      }
      #expect(try await containers { $0.labelSelector = ["role": "r"] } == [running, made])
      #expect(try await containers { ($0.labelSelector, $0.state.state) = (["role": "r"], .containerCreated) } == [made])
      #expect(try await containers { ($0.podSandboxID, $0.state.state) = (String(first.prefix(12)), .containerRunning) } == [running])
      #expect(try await containers { ($0.id, $0.podSandboxID) = (String(running.prefix(12)), second) } == [])
      #expect(try await containers { ($0.id, $0.labelSelector) = (running, ["role": "q"]) } == [])
    }
  }

  @Test func `the status of a pod has all that it was made of`() async throws {
    try await Node.with(settings: "[runtimes.other]\ninherit_default_runtime = true\n") { node in
      let config = try node.podConfig("whole") {
        $0.metadata.attempt = 3
        $0.labels = ["l": "1"]
        $0.annotations = ["a": "2"]
        $0.linux.securityContext.namespaceOptions.pid = .container
      }
      let before = SystemClock.realtimeNanoseconds()
      let id = try await node.run(config, "other")
      let status = try await node.status(pod: id)
      #expect(status.id == id && status.metadata == config.metadata && status.state == .sandboxReady && status.runtimeHandler == "other")
      #expect(status.labels == config.labels && status.annotations == config.annotations && status.network.additionalIps.isEmpty)
      #expect(status.createdAt > before && status.createdAt < SystemClock.realtimeNanoseconds())
      #expect(status.linux.namespaces.options == config.linux.securityContext.namespaceOptions)
      #expect(AddressRange.isValid(status.network.ip + "/32"))
      let listed = try #require(try await node.pods().first)
      #expect(listed.metadata == config.metadata && listed.labels == config.labels && listed.runtimeHandler == "other")
      #expect(listed.id == id && listed.annotations == config.annotations)
      #expect(listed.createdAt == status.createdAt && listed.state == .sandboxReady)
    }
  }

  @Test func `the namespaces of a pod are the same for all its containers, also those after a restart`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      for directory in [node.scratch, node.root] { try Files.setMode(directory, 0o711) }
      let range = Runtime_V1_IDMapping.with { ($0.hostID, $0.length) = (200_000, 65_536) }
      let pod = try await node.run(
        try node.podConfig("pinned") {
          $0.linux.securityContext.namespaceOptions.usernsOptions = .with { ($0.mode, $0.uids, $0.gids) = (.pod, [range], [range]) }
        })
      let ask = "for n in net ipc uts user; do readlink /proc/self/ns/$n; done; cat /dev/shm/kept 2>/dev/null || echo hello > /dev/shm/kept"
      let first = try await node.output(ask, in: pod)
      try await node.restart()
      #expect(try await node.output(ask, in: pod) == first + "hello\n")
    }
  }
}
