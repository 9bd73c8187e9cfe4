import CRIAPI
import Core
import GRPC
import Linux
import SwiftProtobuf
import Testing

/// UpdateContainerResources and its kin against live cgroups.
@Suite(.serialized) struct UpdateTests {
  private func update(_ node: Node, _ container: String, _ change: (inout Runtime_V1_LinuxContainerResources) -> Void) async throws {
    let request = Runtime_V1_UpdateContainerResourcesRequest.with {
      $0.containerID = container
      change(&$0.linux)
    }
    _ = try await node.runtime("UpdateContainerResources", request, returning: Runtime_V1_UpdateContainerResourcesResponse.self)
  }

  private func counters(_ id: String) throws -> (reader: CgroupReader, path: String) {
    (CgroupReader(try CgroupTree.detect()), Node.cgroup(of: id))
  }

  private func limit(_ id: String) throws -> UInt64? {
    let (reader, path) = try counters(id)
    return reader.memoryCounters(path)?.limit
  }

  @Test func `an update's annotations are shown with the container`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let id = try await node.launch("main", ["sleep", "1000"], in: try await node.run(try node.podConfig("annotated")))
      for (key, value) in [("first", "1"), ("second", "2")] {
        let request = Runtime_V1_UpdateContainerResourcesRequest.with { ($0.containerID, $0.annotations) = (id, [key: value]) }
        _ = try await node.runtime("UpdateContainerResources", request, returning: Runtime_V1_UpdateContainerResourcesResponse.self)
      }
      let verbose = Runtime_V1_ContainerStatusRequest.with { ($0.containerID, $0.verbose) = (id, true) }
      let info = try await node.runtime("ContainerStatus", verbose, returning: Runtime_V1_ContainerStatusResponse.self).info["info"] ?? ""
      let annotations = try JSON(parsing: Array(info.utf8))["updateAnnotations"]
      #expect(annotations?["first"]?.string == "1" && annotations?["second"]?.string == "2", "\(info)")
    }
  }

  @Test func `limits of a running container change at once and outlive a restart of berthd`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("resized"))
      let id = try await node.launch("main", ["/bin/sleep", "1000"], in: pod) {
        $0.linux.resources.memoryLimitInBytes = 64 << 20
        $0.linux.resources.cpuShares = 100
        $0.linux.resources.oomScoreAdj = 100
      }
      try await update(node, id) {
        $0.memoryLimitInBytes = 128 << 20
        $0.cpuQuota = 20_000
        $0.cpuPeriod = 50_000
        $0.cpusetCpus = "0"
        $0.oomScoreAdj = 500
      }
      #expect(try limit(id) == 128 << 20)
      let (reader, path) = try counters(id)
      for pid in reader.processIDs(path) {
        let score = try Files.read("/proc/\(pid)/oom_score_adj")
        #expect(String(decoding: score, as: UTF8.self) == "500\n")
      }
      let score = try await node.exec(id, ["/bin/sh", "-c", "sleep 0.2; cat /proc/self/oom_score_adj /proc/$$/oom_score_adj"])
      #expect(String(decoding: score.stdout, as: UTF8.self) == "500\n500\n")
      let inside = try await node.exec(id, ["/bin/sh", "-c", "grep Cpus_allowed_list /proc/self/status"])
      #expect(String(decoding: inside.stdout, as: UTF8.self).filter { $0 != "\t" } == "Cpus_allowed_list:0\n")
      try await update(node, id) { $0.memoryLimitInBytes = 32 << 20 }
      #expect(try limit(id) == 32 << 20)
      if Node.hasSystemd {
        // It puts the limits of its units into force again.
        _ = try await Command.run("/usr/bin/systemctl", ["daemon-reload"], timeout: .seconds(60))
        #expect(try limit(id) == 32 << 20)
      }
      let before = try await node.status(container: id)
      #expect(before.resources.linux.cpuShares == 100 && before.resources.linux.cpuQuota == 20_000)
      #expect(before.resources.linux.memoryLimitInBytes == 32 << 20 && before.resources.linux.oomScoreAdj == 500)
      try await node.restart()
      #expect(try await node.status(container: id) == before)
    }
  }

  @Test func `a limit below what is in use is refused with both figures and changes nothing`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("full"))
      let id = try await node.launch(
        "main", ["/bin/sh", "-c", "dd if=/dev/zero of=/dev/shm/x bs=1M count=20 2>/dev/null; exec sleep 1000"], in: pod
      ) {
        $0.linux.resources.memoryLimitInBytes = 64 << 20
      }
      let (reader, path) = try counters(id)
      try await eventually("memory is used") { (reader.memoryCounters(path)?.workingSet ?? 0) > 20 << 20 ? true : nil }
      let status = await #expect(throws: GRPCStatus.self) {
        try await update(node, id) {
          $0.memoryLimitInBytes = 10 << 20
          $0.cpuShares = 512
        }
      }
      #expect(status?.code == .failedPrecondition)
      let figures = (status?.message ?? "").split { !$0.isNumber }.compactMap { Int($0) }
      #expect(figures.contains(10 << 20) && figures.contains { $0 > 20 << 20 && $0 < 64 << 20 }, "\(status?.message ?? "")")
      #expect(try limit(id) == 64 << 20)
      #expect(try await node.status(container: id).resources.linux.cpuShares == 0)
    }
  }

  @Test func `a created container is updated before it starts, an ended one keeps its new limits in mind`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("early"))
      let id = try await node.create(node.containerConfig("main", ["/bin/sleep", "1000"]), in: pod)
      try await update(node, id) { $0.memoryLimitInBytes = 48 << 20 }
      #expect(try limit(id) == 48 << 20)
      try await node.start(container: id)
      #expect(try limit(id) == 48 << 20)
      try await node.stop(container: id, timeout: 0)
      try await update(node, id) { $0.cpuShares = 5 }
      #expect(try await node.status(container: id).resources.linux.cpuShares == 5)
      let status = await #expect(throws: GRPCStatus.self) { try await update(node, id) { $0.memoryLimitInBytes = -2 } }
      #expect(status?.code == .invalidArgument, "\(status?.message ?? "")")
    }
  }

  @Test func `an update that meets the container's end does not fail`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("racing"))
      for round in 0..<10 {
        let id = try await node.launch("main\(round)", ["/bin/sleep", "1000"], in: pod)
        async let end: Void = node.stop(container: id, timeout: 0)
        for shares in 10..<30 { try await update(node, id) { $0.cpuShares = Int64(shares) } }
        try await end
        #expect(try await node.status(container: id).resources.linux.cpuShares == 29)
      }
    }
  }

  @Test func `what the kernel refuses is named and taken back`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("refused"))
      let id = try await node.launch("main", ["/bin/sleep", "1000"], in: pod)
      let status = await #expect(throws: GRPCStatus.self) {
        try await update(node, id) {
          $0.cpusetCpus = "0"
          $0.cpusetMems = "60"
        }
      }
      #expect(status?.code == .failedPrecondition && status?.message.contains("cpuset_mems") == true, "\(status?.message ?? "")")
      let inside = try await node.exec(id, ["/bin/sh", "-c", "grep Cpus_allowed_list /proc/self/status"])
      let own = String(decoding: try Files.read("/proc/self/status"), as: UTF8.self).split(separator: "\n").first {
        $0.hasPrefix("Cpus_allowed_list")
      }
      #expect(String(decoding: inside.stdout, as: UTF8.self) == own.map { $0 + "\n" }, "its processors are what they were")
      let invalid: [(String, @Sendable (inout Runtime_V1_LinuxContainerResources) -> Void)] = [
        ("cpu_shares", { $0.cpuShares = -1 }), ("cpu_quota", { $0.cpuQuota = -2 }), ("cpu_period", { $0.cpuPeriod = -1 }),
        ("memory_limit_in_bytes", { $0.memoryLimitInBytes = -2 }), ("memory_swap_limit_in_bytes", { $0.memorySwapLimitInBytes = -2 }),
        ("oom_score_adj", { $0.oomScoreAdj = 1001 }), ("cpuset_cpus", { $0.cpusetCpus = "a" }), ("cpuset_mems", { $0.cpusetMems = "x" }),
        ("unified", { $0.unified = ["../x": "1"] }), ("page_size", { $0.hugepageLimits = [.init()] }),
      ]
      for (field, change) in invalid {
        let status = await #expect(throws: GRPCStatus.self) { try await update(node, id, change) }
        #expect(status?.code == .invalidArgument && status?.message.contains(field) == true, "\(field): \(status?.message ?? "")")
      }
    }
  }

  @Test func `a pod's sums are remembered over a restart, and nonsense is refused`() async throws {
    try await Node.with { node in
      let pod = try await node.run(try node.podConfig("sums"))
      let request = Runtime_V1_UpdatePodSandboxResourcesRequest.with {
        $0.podSandboxID = pod
        $0.overhead.memoryLimitInBytes = 1 << 20
        $0.resources.cpuShares = 7
      }
      let method = "UpdatePodSandboxResources"
      _ = try await node.runtime(method, request, returning: Runtime_V1_UpdatePodSandboxResourcesResponse.self)
      try await node.restart()
      let verbose = Runtime_V1_PodSandboxStatusRequest.with {
        $0.podSandboxID = pod
        $0.verbose = true
      }
      let info = try await node.runtime("PodSandboxStatus", verbose, returning: Runtime_V1_PodSandboxStatusResponse.self).info["info"] ?? ""
      #expect(info.contains(#""overhead":{"memoryLimitInBytes":"1048576"}"#) && info.contains(#""resources":{"cpuShares":"7"}"#), "\(info)")
      #expect(info.contains(#""config":{"#) && info.contains(#""pid":"#))
      var wrong = request
      wrong.overhead.cpuPeriod = -5
      let refused = await #expect(throws: GRPCStatus.self) {
        try await node.runtime(method, wrong, returning: Runtime_V1_UpdatePodSandboxResourcesResponse.self)
      }
      #expect(refused?.code == .invalidArgument && refused?.message.contains("overhead.cpu_period") == true)
    }
  }
}
