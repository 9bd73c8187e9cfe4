import CRIAPI
import Core
import GRPC
import Linux
import SwiftProtobuf
import Testing

/// Statistics of live containers against what they do and what the kernel says.
@Suite(.serialized) struct StatsTests {
  private func stats(_ node: Node, _ container: String) async throws -> Runtime_V1_ContainerStats {
    try await node.runtime(
      "ContainerStats", Runtime_V1_ContainerStatsRequest.with { $0.containerID = container },
      returning: Runtime_V1_ContainerStatsResponse.self
    ).stats
  }

  private func stats(_ node: Node, pod: String) async throws -> Runtime_V1_PodSandboxStats {
    try await node.runtime(
      "PodSandboxStats", Runtime_V1_PodSandboxStatsRequest.with { $0.podSandboxID = pod },
      returning: Runtime_V1_PodSandboxStatsResponse.self
    ).stats
  }

  @Test func `a busy container shows its processor time, its memory and what it wrote`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("busy") { $0.labels = ["of": "pod"] })
      let work = "dd if=/dev/zero of=/written bs=1M count=3 2>/dev/null; ln /written /again; mkdir /d; echo ready; while :; do :; done"
      let id = try await node.launch("main", ["/bin/sh", "-c", work], in: pod) {
        $0.linux.resources.memoryLimitInBytes = 64 << 20
        $0.labels = ["app": "busy"]
        $0.annotations = ["note": "x"]
      }
      let first = try await eventually("processor time is counted") {
        let stats = try await stats(node, id)
        return stats.cpu.usageCoreNanoSeconds.value > 100_000_000 ? stats : nil
      }
      #expect(first.attributes.id == id && first.attributes.metadata.name == "main")
      #expect(first.attributes.labels == ["app": "busy"] && first.attributes.annotations == ["note": "x"])
      #expect(first.cpu.usageNanoCores.value > 10_000_000, "\(first.cpu)")
      #expect(first.memory.usageBytes.value > 0 && first.memory.workingSetBytes.value <= first.memory.usageBytes.value)
      #expect(first.memory.availableBytes.value == (64 << 20) - first.memory.workingSetBytes.value)
      #expect(first.memory.pageFaults.value > 0 && first.memory.rssBytes.value > 0)
      #expect(abs(first.cpu.timestamp - SystemClock.realtimeNanoseconds()) < 60_000_000_000)
      let second = try await eventually("a rate is there and time goes on") {
        let stats = try await stats(node, id)
        return stats.cpu.usageCoreNanoSeconds.value > first.cpu.usageCoreNanoSeconds.value + 200_000_000 ? stats : nil
      }
      #expect((1...1_000_000_000_000).contains(second.cpu.usageNanoCores.value))
      // The pod shares its parent with others: it is the sum of its own groups.
      let whole = try await stats(node, pod: pod).linux
      #expect(whole.cpu.usageCoreNanoSeconds.value >= second.cpu.usageCoreNanoSeconds.value && whole.memory.usageBytes.value > 0)
      let written = try await eventually("the writable layer is measured", within: 30) {
        let layer = try await stats(node, id).writableLayer
        return layer.usedBytes.value > 3 << 20 ? layer : nil
      }
      let directory = written.fsID.mountpoint
      let du = try await Command.run("/usr/bin/du", ["-s", "--block-size=1", directory], timeout: .seconds(10))
      #expect(String(decoding: du.stdout, as: UTF8.self).hasPrefix("\(written.usedBytes.value)\t"))
      let inodes = try await Command.run("/usr/bin/du", ["-s", "--inodes", directory], timeout: .seconds(10))
      #expect(String(decoding: inodes.stdout, as: UTF8.self).hasPrefix("\(written.inodesUsed.value)\t"))
    }
  }

  @Test func `a pod shows its containers, its network interfaces and its processes`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(
        try node.podConfig("whole") {
          ($0.linux.cgroupParent, $0.labels, $0.annotations) = (Node.cgroup("whole"), ["a": "1"], ["n": "x"])
        })
      let id = try await node.launch("main", ["/bin/sh", "-c", "sleep 1000; true"], in: pod)
      _ = try await node.exec(id, ["/bin/sh", "-c", "ping -c 2 -W 1 127.0.0.1 >/dev/null; true"])
      let stats = try await stats(node, pod: pod)
      #expect(stats.attributes.id == pod && stats.attributes.metadata.name == "whole")
      #expect(stats.attributes.labels == ["a": "1"] && stats.attributes.annotations == ["n": "x"])
      let now = SystemClock.realtimeNanoseconds()
      for at in [stats.linux.network.timestamp, stats.linux.process.timestamp, stats.linux.memory.timestamp, stats.linux.cpu.timestamp] {
        #expect(abs(at - now) < 60_000_000_000)
      }
      #expect(stats.linux.network.defaultInterface.name == "eth0")
      #expect(stats.linux.network.interfaces.map(\.name).contains("lo"))
      let loopback = stats.linux.network.interfaces.first { $0.name == "lo" }
      #expect((loopback?.rxBytes.value ?? 0) > 0 && loopback?.rxBytes == loopback?.txBytes)
      // The shim, the holder, the shell and its sleep.
      #expect(stats.linux.process.processCount.value == 4, "\(stats.linux.process)")
      #expect(stats.linux.cpu.usageCoreNanoSeconds.value > 0 && stats.linux.memory.usageBytes.value > 0)
      #expect(stats.linux.containers.map(\.attributes.id) == [id])
      #expect(stats.linux.containers[0].memory.usageBytes.value > 0)
      #expect(stats.linux.cpu.usageCoreNanoSeconds.value >= stats.linux.containers[0].cpu.usageCoreNanoSeconds.value)
    }
  }

  @Test func `lists keep to their filters, and an ended container shows only what it left`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pods = try await [node.run(try node.podConfig("a") { $0.labels = ["x": "1"] }), node.run(try node.podConfig("b"))]
      let running = try await node.launch("main", ["/bin/sleep", "1000"], in: pods[0]) { $0.labels = ["y": "2"] }
      let ended = try await node.launch("main", ["/bin/sh", "-c", "echo 1 > /file"], in: pods[1])
      _ = try await node.ended(ended)
      func list(_ change: (inout Runtime_V1_ContainerStatsFilter) -> Void) async throws -> Set<String> {
        let request = Runtime_V1_ListContainerStatsRequest.with { change(&$0.filter) }
        let response = try await node.runtime("ListContainerStats", request, returning: Runtime_V1_ListContainerStatsResponse.self)
        return Set(response.stats.map(\.attributes.id))
      }
      #expect(try await list { _ in } == [running, ended])
      #expect(try await list { $0.podSandboxID = pods[1] } == [ended])
      #expect(try await list { $0.id = String(running.prefix(12)) } == [running])
      #expect(try await list { $0.labelSelector = ["y": "2"] } == [running])
      #expect(try await list { $0.labelSelector = ["y": "3"] } == [])
      let request = Runtime_V1_ListPodSandboxStatsRequest.with { $0.filter.labelSelector = ["x": "1"] }
      let listed = try await node.runtime("ListPodSandboxStats", request, returning: Runtime_V1_ListPodSandboxStatsResponse.self).stats
      #expect(listed.map(\.attributes.id) == [pods[0]])
      let byID = Runtime_V1_ListPodSandboxStatsRequest.with { $0.filter.id = String(pods[1].prefix(12)) }
      let found = try await node.runtime("ListPodSandboxStats", byID, returning: Runtime_V1_ListPodSandboxStatsResponse.self).stats
      #expect(found.map(\.attributes.id) == [pods[1]])
      let left = try await eventually("what it left is measured") {
        let stats = try await stats(node, ended)
        return stats.writableLayer.inodesUsed.value > 1 ? stats : nil
      }
      #expect(!left.hasCpu && !left.hasMemory)
    }
  }

  @Test func `streamed lists say what the lists say, in order, and keep to their filters`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("many"))
      for number in 0..<6 {
        _ = try await node.create(
          node.containerConfig("c\(number)", ["/bin/true"]) { $0.annotations = ["padding": String(repeating: "x", count: 100_000)] },
          in: pod)
      }
      let containers = try await node.containers()
      let parts = try await all(node, "Containers", Runtime_V1_StreamContainersRequest(), Runtime_V1_StreamContainersResponse.self)
      #expect(parts.flatMap(\.containers) == containers && parts.count == 3)
      let one = Runtime_V1_StreamContainersRequest.with { $0.filter.id = containers[3].id }
      #expect(try await all(node, "Containers", one, Runtime_V1_StreamContainersResponse.self).flatMap(\.containers) == [containers[3]])
      for (id, pods) in [("", try await node.pods()), (pod, try await node.pods()), ("none", [])] {
        let request = Runtime_V1_StreamPodSandboxesRequest.with { $0.filter.id = id }
        let listed = try await all(node, "PodSandboxes", request, Runtime_V1_StreamPodSandboxesResponse.self)
        #expect(listed.flatMap(\.podSandboxes) == pods)
        let stats = try await all(
          node, "PodSandboxStats", Runtime_V1_StreamPodSandboxStatsRequest.with { $0.filter.id = id },
          Runtime_V1_StreamPodSandboxStatsResponse.self
        ).flatMap(\.podSandboxStats)
        #expect(stats.map(\.attributes.id) == pods.map(\.id) && stats.allSatisfy { $0.linux.containers.count == 6 })
      }
      for (id, ids) in [("", containers.map(\.id)), (containers[2].id, [containers[2].id]), ("none", [])] {
        let request = Runtime_V1_StreamContainerStatsRequest.with { $0.filter.id = id }
        let stats = try await all(node, "ContainerStats", request, Runtime_V1_StreamContainerStatsResponse.self)
        #expect(stats.flatMap(\.containerStats).map(\.attributes.id) == ids)
      }
    }
  }

  /// All messages of a streamed list.
  private func all<Request: Message, Response: Message>(
    _ node: Node, _ list: String, _ request: Request, _ type: Response.Type
  ) async throws -> [Response] {
    var messages: [Response] = []
    for try await message in try node.berth().serverStreaming("/runtime.v1.RuntimeService/Stream" + list, request, returning: type) {
      messages.append(message)
    }
    return messages
  }

  @Test func `swap, pressure, io, processes and interfaces are told beside each other, as far as the kernel counts them`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let parent = Node.cgroup("beside")
      let pod = try await node.run(try node.podConfig("beside") { $0.linux.cgroupParent = parent })
      let id = try await node.launch("main", ["/bin/sh", "-c", "while :; do :; done"], in: pod)
      let reader = CgroupReader(try CgroupTree.detect())
      let path = Node.cgroup(of: id, below: parent)
      let (container, whole) = (try await stats(node, id), try await stats(node, pod: pod).linux)
      let memory = try #require(reader.memoryCounters(path))
      #expect(container.hasSwap == (memory.swap != nil) && container.swap.swapUsageBytes.value == memory.swap ?? 0)
      #expect(container.hasSwap == (container.swap.timestamp > 0))
      for (group, cpu, memory, io, hasIO) in [
        (path, container.cpu, container.memory, container.io, container.hasIo), (parent, whole.cpu, whole.memory, whole.io, whole.hasIo),
      ] {
        let pressure = reader.cpuPressure(group)
        #expect(cpu.hasPsi == (pressure != nil) && cpu.psi.some.total <= pressure?.some.total ?? 0)
        #expect(memory.hasPsi == (reader.memoryPressure(group) != nil) && hasIO == (reader.ioPressure(group) != nil))
        #expect(io.hasPsi == hasIO && (!hasIO || io.timestamp > 0))
      }
      let interfaces = Set(whole.network.interfaces.map(\.name) + [whole.network.defaultInterface.name])
      let counted = NetworkCounters.read(pid: try await node.holderID(of: pod)) ?? []
      #expect(
        interfaces == Set(counted.map(\.name)) && whole.network.defaultInterface.hasRxErrors && whole.network.defaultInterface.hasTxErrors)
    }
  }

  @Test func `without a period a rate is that since the last call`() async throws {
    try await Node.with(settings: "[stats]\ncpu_period = \"0\"\ndisk_period = \"1s\"\n") { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("asked"))
      let id = try await node.launch("main", ["/bin/sh", "-c", "until [ -e /enough ]; do :; done; exec sleep 1000"], in: pod)
      try await eventually("it is busy") { try await stats(node, id).cpu.usageNanoCores.value > 10_000_000 ? true : nil }
      _ = try await node.exec(id, ["touch", "/enough"])
      try await eventually("it is idle") { try await stats(node, id).cpu.usageNanoCores.value < 1_000_000 ? true : nil }
    }
  }
}
