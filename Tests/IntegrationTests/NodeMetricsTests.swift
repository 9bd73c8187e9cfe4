import CRIAPI
import Core
import GRPC
import Linux
import Support
import SwiftProtobuf
import Testing

/// What Prometheus reads of pods, containers and the node, against what was done with them.
@Suite(.serialized, .timeLimit(.minutes(3))) struct NodeMetricsTests {
  private func withNode(_ settings: String = "", network: String = "", _ body: (Node, String) async throws -> Void) async throws {
    try await withScratch("metrics") { scratch in
      let socket = scratch + "/m.sock"
      let text = network + "[metrics]\naddress = \"unix://\(socket)\"\n" + settings
      try await Node.with(settings: text) { node in
        try await node.importBusybox()
        try await body(node, socket)
      }
    }
  }

  @Test func `stages of pods and containers are timed, plugins' calls, events and shims counted`() async throws {
    try await withNode("[events]\nretention = \"0\"\n") { node, socket in
      let (pod, other) = (try await node.run(node.podConfig("web")), try await node.run(node.podConfig("other")))
      let id = try await node.launch("a", ["/bin/sleep", "600"], in: pod)
      _ = try await node.launch("b", ["/bin/sleep", "600"], in: pod)
      try await node.stop(container: id, timeout: 0)
      try await node.remove(container: id)
      try await node.remove(pod: pod)
      try await node.killShim(of: other)
      try await eventually("the pod is not ready") { try await node.status(pod: other).state == .sandboxNotready ? true : nil }
      let told = try await Scrape(socket)
      func count(_ object: String, _ stage: String) -> Double? {
        told["berth_\(object)_stage_seconds_count{stage=\"\(stage)\",runtime=\"runc\"}"]
      }
      for stage in ["run", "files", "shim", "network"] { #expect(count("pod", stage) == 2, "\(stage)") }
      for stage in ["stop", "containers", "shim_end", "remove"] { #expect(count("pod", stage) == 1, "\(stage)") }
      #expect(count("pod", "network_release") == 2 && count("pod", "user_namespace") == nil)
      for stage in ["create", "mounts", "snapshot", "spec", "task", "start", "stop", "remove"] {
        #expect(count("container", stage) == 2, "\(stage)")
      }
      for verb in ["ADD", "DEL"] {
        #expect(told["berth_cni_operations_total{plugin=\"bridge\",verb=\"\(verb)\"}"] == 2)
        #expect((told["berth_cni_operation_seconds_sum{plugin=\"bridge\",verb=\"\(verb)\"}"] ?? 0) > 0)
      }
      #expect(told["berth_dead_shims_total"] == 1)
      #expect((told[#"berth_events_dropped_total{reason="expired"}"#] ?? 0) > 8)
      #expect(told[#"berth_default_runtime_info{runtime="runc"}"#] == 1)
    }
  }

  @Test func `a pod that hangs shows in which stage, and a plugin that fails is counted`() async throws {
    try await withScratch("plugin") { scratch in
      try await withNode(network: "bin_dirs = [\"\(scratch)\"]\n") { node, socket in
        let script = """
          #!/bin/sh
          case $CNI_COMMAND in
            ADD) while [ ! -e \(scratch)/go ]; do sleep 0.05; done; echo '{"cniVersion":"1.0.0","code":100,"msg":"no"}'; exit 1;;
            VERSION) echo '{"cniVersion":"1.0.0","supportedVersions":["1.0.0"]}';;
          esac
          """
        try Files.write(script, to: scratch + "/slow", mode: 0o755)
        try Files.write(#"{"cniVersion":"1.0.0","name":"slow","plugins":[{"type":"slow"}]}"#, to: node.networkConfig + "/10-test.conflist")
        let config = try node.podConfig("hung")
        let start = Task { try await node.run(config) }
        try await eventually("the network is being made") {
          try await Scrape(socket)[#"berth_stages_running{object="pod",stage="network"}"#] == 1 ? true : nil
        }
        let hung = try await Scrape(socket)
        #expect(hung[#"berth_stages_running{object="pod",stage="run"}"#] == 1)
        #expect(hung[#"berth_stages_stalled{object="pod",stage="network"}"#] != nil)
        try Files.write("", to: scratch + "/go")
        await #expect(throws: (any Error).self) { try await start.value }
        let told = try await Scrape(socket)
        #expect(told[#"berth_stages_running{object="pod",stage="network"}"#] == nil)
        #expect(told[#"berth_cni_operation_errors_total{plugin="slow",verb="ADD"}"#] == 1)
        #expect(told[#"berth_cni_operation_errors_total{plugin="slow",verb="DEL"}"#] == nil)
        #expect(told[#"berth_pod_stage_seconds_count{stage="network",runtime="runc"}"#] == 1)
      }
    }
  }

  @Test func `logs are counted as they are on disk, over a restart too`() async throws {
    try await withNode("[runtimes]\nmax_container_log_line_size = 1024\n") { node, socket in
      let pod = try await node.run(node.podConfig("chatty"))
      let script = "echo one; echo two >&2; head -c 2600 /dev/zero | tr '\\0' x; echo; read l; echo three; read l"
      let id = try await node.launch("main", ["/bin/sh", "-c", script], in: pod) { $0.stdin = true }
      let path = try await node.status(container: id).logPath
      let told = try await eventually("all is counted") {
        let told = try await Scrape(socket)
        return told["berth_log_output_records_total"] == 5 ? told : nil
      }
      #expect(told["berth_log_input_bytes_total"] == 4 + 4 + 2601 && told["berth_log_input_lines_total"] == 3)
      #expect(told["berth_log_split_records_total"] == 2 && told["berth_log_dropped_bytes_total"] == 0)
      let size = Double(try Files.read(path).count)
      #expect(told["berth_log_output_bytes_total"] == size)
      try await node.restart()
      try await eventually("what was counted before is not counted again") {
        try await Scrape(socket)["berth_log_output_records_total"] == 0 ? true : nil
      }
      try Files.write("x\n", to: "\(node.state)/sandboxes/\(pod)/stdin-\(id)", create: false)
      try await eventually("what comes later is") { try await Scrape(socket)["berth_log_input_bytes_total"] == 6 ? true : nil }
      try await node.remove(container: id)
      #expect(try await Scrape(socket)["berth_log_output_records_total"] == 1)
    }
  }

  @Test func `containers without memory are counted, by name too, and what is given back, by garbage collection`() async throws {
    try await withNode { node, socket in
      let pod = try await node.run(node.podConfig("hungry"))
      let id = try await node.launch("eater", ["/bin/sh", "-c", "tail /dev/zero"], in: pod) {
        $0.linux.resources.memoryLimitInBytes = 16 << 20
      }
      #expect(try await node.ended(id).reason == "OOMKilled")
      let told = try await Scrape(socket)
      #expect(told["berth_oom_kills_total"] == 1 && told[#"berth_oom_container_kills_total{name="eater"}"#] == 1)
      try await node.remove(pod: pod)
      try await node.removeImage(Node.busybox)
      let after = try await eventually("the layer is gone") {
        let told = try await Scrape(socket)
        return told[#"berth_gc_removed_total{kind="layer"}"#] == 1 && told[#"berth_gc_removed_total{kind="blob"}"#] != nil ? told : nil
      }
      #expect((after[#"berth_gc_freed_bytes_total{kind="layer"}"#] ?? 0) > 500_000)
      #expect((after[#"berth_gc_freed_bytes_total{kind="blob"}"#] ?? 0) > 100)
      #expect((after[#"berth_gc_runs_total{result="ok"}"#] ?? 0) > 0 && (after["berth_gc_seconds_count"] ?? 0) > 0)
    }
  }

  @Test func `the daemon's own figures are those of the kernel, and dead processes of the node are seen`() async throws {
    try await withNode { node, socket in
      let pod = try await node.run(node.podConfig("careless"))
      _ = try await node.launch("main", ["/bin/sh", "-c", "/bin/true & exec sleep 600"], in: pod)
      try await eventually("a process is defunct") { try await Scrape(socket)["berth_node_defunct_processes"] ?? 0 >= 1 ? true : nil }
      let pid = try node.processID()
      let network = try #require(NetworkCounters.read(pid: pid)).reduce((0, 0)) { ($0.0 + $1.receivedBytes, $0.1 + $1.sentBytes) }
      let told = try await Scrape(socket)
      let own = try #require(ProcessFigures.read(pid))
      #expect(told["process_start_time_seconds"] == own.startedAt)
      #expect(abs(own.startedAt - Double(SystemClock.realtimeNanoseconds()) / 1e9) < 120)
      #expect((told["process_cpu_seconds_total"] ?? 0) > 0 && (told["process_cpu_seconds_total"] ?? 1e9) <= own.processorTime)
      #expect(((4 << 20)...(1 << 30)).contains(Int(told["process_resident_memory_bytes"] ?? 0)))
      #expect((told["process_virtual_memory_bytes"] ?? 0) > (told["process_resident_memory_bytes"] ?? 0))
      let limits = ProcessCounters.softLimits(KernelText.read("/proc/\(pid)/limits") ?? [])
      let limit = limits.first { $0.name == "max_open_files" }?.limit.map { Double($0) }
      #expect(told["process_max_fds"] == limit && (told["process_open_fds"] ?? 0) > 10)
      let space = limits.first { $0.name == "max_address_space" }
      #expect(told["process_virtual_memory_max_bytes"] == (space?.limit).map { Double($0) } ?? -1)
      // What the network had before and has after the scrape.
      let after = try #require(NetworkCounters.read(pid: pid)).reduce((0, 0)) { ($0.0 + $1.receivedBytes, $0.1 + $1.sentBytes) }
      for (name, before, after) in [("receive", network.0, after.0), ("transmit", network.1, after.1)] {
        #expect((Double(before)...Double(after)).contains(told["process_network_\(name)_bytes_total"] ?? -1), "\(name)")
      }
    }
  }

  @Test func `only the groups that were chosen are told`() async throws {
    try await withNode("collectors = [\"oom\", \"process\"]\n") { _, socket in
      let names = try await Scrape(socket).names
      #expect(names.contains("berth_oom_kills_total") && names.contains("process_open_fds") && names.contains("berth_build_info"))
      #expect(names.allSatisfy { $0.hasPrefix("berth_oom_") || $0.hasPrefix("process_") || $0 == "berth_build_info" }, "\(names)")
    }
  }

  @Test func `containers' cgroups are told by containerd's names where that is asked for`() async throws {
    try await withNode("containers = true\n") { node, socket in
      let before = try await Scrape(socket).names
      #expect(before.allSatisfy { !$0.hasPrefix("container_") })
      let pod = try await node.run(node.podConfig("told"))
      let id = try await node.launch("main", ["/bin/sleep", "600"], in: pod) { $0.linux.resources.memoryLimitInBytes = 64 << 20 }
      let told = try await Scrape(socket)
      func value(_ name: String) -> Double? { told["container_\(name){container_id=\"\(id)\",namespace=\"k8s.io\"}"] }
      let reader = CgroupReader(try CgroupTree.detect())
      let isUnified = try #require(reader.directory(of: Node.cgroup(of: id), .memory)).isUnified
      #expect(value("memory_usage_limit_bytes") == 67_108_864 && value("pids_current") == 1 && value("memory_oom_total") == 0)
      let used = value(isUnified ? "cpu_usage_usec_microseconds" : "cpu_total_nanoseconds").map { $0 * (isUnified ? 1000 : 1) }
      let now = Double(try #require(reader.cpuTime(Node.cgroup(of: id))))
      #expect(used ?? 0 > 0 && used ?? .infinity <= now)
      #expect(value(isUnified ? "memory_anon_bytes" : "memory_total_rss_bytes") ?? 0 > 0)
      #expect(told.names.filter { $0.hasPrefix("container_") }.count > 30, "\(told.names)")
      try await node.stop(container: id, timeout: 0)
      #expect(try await Scrape(socket).names.allSatisfy { !$0.hasPrefix("container_") })
    }
  }
}
