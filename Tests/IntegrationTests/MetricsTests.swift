import CRIAPI
import Core
import GRPC
import Linux
import SwiftProtobuf
import Testing

/// The metrics that replace cAdvisor's.
@Suite(.serialized) struct MetricsTests {
  @Test func `every metric has its descriptor's labels, and the values are those of the kernel`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("measured") { $0.linux.cgroupParent = Node.cgroup("measured") })
      let id = try await node.launch(
        "main", ["/bin/sh", "-c", "until [ -e /enough ]; do :; done; sleep 1000; true"], in: pod
      ) {
        $0.linux.resources.memoryLimitInBytes = 64 << 20
        $0.linux.resources.cpuQuota = 50_000
        $0.linux.resources.cpuPeriod = 100_000
      }
      let reader = CgroupReader(try CgroupTree.detect())
      let path = Node.cgroup(of: id, below: Node.cgroup("measured"))
      // How long it takes to use up a period's quota is the machine's business.
      try await eventually("a period of its quota is over", within: 60) { reader.cpuCounters(path)?.periods ?? 0 > 0 ? true : nil }
      _ = try await node.exec(id, ["touch", "/enough"])
      try await eventually("the loop is over", within: 60) { reader.processIDs(path).count == 2 ? true : nil }
      let described = try await node.runtime(
        "ListMetricDescriptors", Runtime_V1_ListMetricDescriptorsRequest(), returning: Runtime_V1_ListMetricDescriptorsResponse.self
      ).descriptors
      let keys = Dictionary(uniqueKeysWithValues: described.map { ($0.name, $0.labelKeys) })
      #expect(
        described.count == 67
          && described.allSatisfy { !$0.help.isEmpty && $0.labelKeys.starts(with: ["pod", "namespace", "container", "id", "image"]) })
      let listed = try await node.runtime(
        "ListPodSandboxMetrics", Runtime_V1_ListPodSandboxMetricsRequest(), returning: Runtime_V1_ListPodSandboxMetricsResponse.self
      ).podMetrics
      #expect(listed.map(\.podSandboxID) == [pod] && listed[0].containerMetrics.map(\.containerID) == [id])
      for metric in listed[0].metrics + listed[0].containerMetrics[0].metrics {
        #expect(keys[metric.name]?.count == metric.labelValues.count, "\(metric.name)")
        #expect(metric.labelValues[0] == "measured" && metric.labelValues[1] == "default" && metric.timestamp > 0)
      }
      let metrics = listed[0].containerMetrics[0].metrics
      func value(_ name: String, _ labels: [String] = []) -> UInt64? {
        metrics.first { $0.name == "container_" + name && $0.labelValues.dropFirst(5).elementsEqual(labels) }?.value.value
      }
      #expect(metrics.allSatisfy { $0.labelValues[2] == "main" && $0.labelValues[3] == id && $0.labelValues[4] == Node.busybox })
      #expect(value("cpu_usage_nanoseconds_total") == reader.cpuTime(path))
      #expect(value("cpu_usage_seconds_total", ["total"]) == (reader.cpuTime(path) ?? 0) / 1_000_000_000)
      #expect((value("cpu_cfs_periods_total") ?? 0) > 0)
      #expect(value("memory_max_usage_bytes") ?? 0 >= value("memory_usage_bytes") ?? .max)
      #expect(value("memory_failures_total", ["pgfault", "hierarchy"]) ?? 0 > 0)
      #expect(value("processes") == 2 && value("threads") == 2 && value("threads_max") != nil)
      #expect(value("file_descriptors") ?? 0 >= 6 && value("sockets") == 0)
      #expect(value("ulimits_soft", ["max_open_files"]) ?? 0 > 0)
      #expect(value("spec_memory_limit_bytes") == 64 << 20 && value("spec_cpu_quota") == 50_000 && value("spec_cpu_period") == 100_000)
      #expect(abs(Int64(value("start_time_seconds") ?? 0) - SystemClock.realtimeNanoseconds() / 1_000_000_000) < 120)
      #expect(metrics.contains { $0.name == "container_fs_limit_bytes" && $0.value.value > 0 && !$0.labelValues[5].isEmpty })
      let network = listed[0].metrics.filter { $0.name == "container_network_receive_bytes_total" }
      #expect(Set(network.map { $0.labelValues[5] }).isSuperset(of: ["eth0", "lo"]) && network.allSatisfy { $0.metricType == .counter })
      var streamed: [Runtime_V1_PodSandboxMetrics] = []
      for try await part in try node.berth().serverStreaming(
        "/runtime.v1.RuntimeService/StreamPodSandboxMetrics", Runtime_V1_StreamPodSandboxMetricsRequest(),
        returning: Runtime_V1_StreamPodSandboxMetricsResponse.self)
      { streamed += part.podSandboxMetrics }
      #expect(streamed.map(\.podSandboxID) == [pod])
      #expect(streamed.first?.containerMetrics.first?.metrics.map(\.name) == metrics.map(\.name))
    }
  }

  /// What this machine's kernel does not count has no sample.
  private func uncounted(_ reader: CgroupReader, _ path: String) -> [String] {
    var missing: [String] = []
    if reader.cpuPressure(path) == nil { missing.append("container_pressure_") }
    if reader.hugepageCounters(path).isEmpty { missing.append("container_hugetlb_") }
    if reader.ioCounters(path).isEmpty {
      missing += ["container_fs_reads_", "container_fs_writes_", "container_blkio_"]
    }
    if reader.memoryPeak(path) == nil { missing.append("container_memory_max_usage_bytes") }
    if reader.memoryCounters(path)?.swap == nil { missing.append("container_memory_swap") }
    return missing
  }

  /// A device's name as the kernel tells it to udev.
  private func kernelName(_ numbers: String) throws -> String {
    let text = String(decoding: try Files.read("/sys/dev/block/\(numbers)/uevent"), as: UTF8.self)
    return "/dev/" + (try #require(text.firstMatch(of: #/DEVNAME=(.+)/#)).1)
  }

  /// What a directory's filesystem is on, without asking Berth.
  private func source(of path: String) async throws -> String {
    let asked = try await Command.run("/bin/sh", ["-c", "stat -c %Hd:%Ld \(path); df --output=source \(path)"], timeout: .seconds(10))
    let lines = String(decoding: asked.stdout, as: UTF8.self).split(separator: "\n").map(String.init)
    return lines[0].hasPrefix("0:") ? lines[2] : try kernelName(lines[0])
  }

  @Test func `every metric that is described has a sample, and the other way round`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("whole") { $0.linux.cgroupParent = Node.cgroup("whole") })
      let id = try await node.launch(
        "main", ["/bin/sh", "-c", "dd if=/dev/zero of=/f bs=1M count=4 conv=fsync; sleep 1000; true"], in: pod
      ) {
        $0.linux.resources = .with {
          ($0.memoryLimitInBytes, $0.cpuQuota, $0.cpuPeriod, $0.cpuShares) = (64 << 20, 50_000, 100_000, 512)
        }
      }
      let path = Node.cgroup(of: id, below: Node.cgroup("whole"))
      let reader = CgroupReader(try CgroupTree.detect())
      let described = try await node.runtime(
        "ListMetricDescriptors", Runtime_V1_ListMetricDescriptorsRequest(), returning: Runtime_V1_ListMetricDescriptorsResponse.self
      ).descriptors.map(\.name)
      let metrics = try await eventually("the layer is measured") {
        let listed = try await node.runtime(
          "ListPodSandboxMetrics", Runtime_V1_ListPodSandboxMetricsRequest(), returning: Runtime_V1_ListPodSandboxMetricsResponse.self)
        let metrics = listed.podMetrics[0].metrics + listed.podMetrics[0].containerMetrics[0].metrics
        return metrics.contains { $0.name == "container_fs_usage_bytes" && $0.value.value > 4 << 20 } ? metrics : nil
      }
      let told = Set(metrics.map(\.name))
      #expect(told.isSubset(of: described))
      let missing = uncounted(reader, path)
      let silent = Set(described).subtracting(told).filter { name in !missing.contains { name.hasPrefix($0) } }
      #expect(silent.isEmpty, "\(silent.sorted())")
      let filesystem = try FilesystemCapacity.read(node.root)
      func value(_ name: String) -> UInt64? {
        metrics.first { $0.name == "container_fs_" + name && $0.labelValues.last == filesystem.device }?.value.value
      }
      #expect(value("limit_bytes") == filesystem.bytes && value("inodes_total") == filesystem.inodes && value("inodes_free") ?? 0 > 0)
      #expect(filesystem.device == (try await source(of: node.root)))
      let writers = Set(metrics.filter { $0.name == "container_fs_writes_bytes_total" }.map { $0.labelValues[5] })
      let counted = (reader.ioCounters(path) + reader.ioCounters(Files.parent(of: path))).map(\.device)
      #expect(writers == Set(try counted.map { try kernelName("\($0.major):\($0.minor)") }))
      #expect(metrics.first { $0.name == "container_spec_cpu_shares" }?.value.value == 512)
    }
  }
}
