import CRIAPI
import Engine
import Linux

extension MetricFamily {
  static let processes: [MetricFamily] = [
    one("processes", .gauge, "Number of processes running inside the container.") { $0.processes },
    one("file_descriptors", .gauge, "Number of open file descriptors for the container.") { $0.open.descriptors },
    one("sockets", .gauge, "Number of open sockets for the container.") { $0.open.sockets },
    one("threads_max", .gauge, "Maximum number of threads allowed inside the container, infinity if value is zero.") {
      $0.maximumThreads ?? 0
    },
    one("threads", .gauge, "Number of threads running inside the container.") { $0.threads },
    MetricFamily(
      "ulimits_soft", .gauge, "Soft ulimit values for the container root process; one without a limit is left out.", labels: ["ulimit"]
    ) { $0.container?.limits.map { ([$0.name], $0.limit) } ?? [] },
  ]

  static let life: [MetricFamily] = [
    MetricFamily("last_seen", .gauge, "Last time a container was seen by the exporter, in seconds since the epoch.") { subject in
      subject.container.map { [([], UInt64(clamping: $0.group.at / 1_000_000_000))] } ?? []
    },
    MetricFamily("start_time_seconds", .gauge, "Start time of the container since the epoch in seconds.") { subject in
      subject.container.map { [([], UInt64(clamping: $0.entry.record.startedAt / 1_000_000_000))] } ?? []
    },
    limit("spec_cpu_period", "CPU period of the container.") { $0.cpuPeriod },
    limit("spec_cpu_quota", "CPU quota of the container.") { $0.cpuQuota },
    limit("spec_cpu_shares", "CPU share of the container.") { $0.cpuShares },
    limit("spec_memory_limit_bytes", "Memory limit for the container, 0 for none.") { max(0, $0.memoryLimitInBytes) },
    limit("spec_memory_reservation_limit_bytes", "Memory reservation limit for the container, 0 for none.") {
      Int64($0.unified["memory.low"] ?? "") ?? 0
    },
    limit("spec_memory_swap_limit_bytes", "Memory swap limit for the container, memory included, 0 for none.") {
      max(0, $0.memorySwapLimitInBytes != 0 ? $0.memorySwapLimitInBytes : $0.memoryLimitInBytes)
    },
  ]

  /// What the container was given; nothing for what is unlimited (a quota of -1).
  private static func limit(
    _ name: String, _ help: String, _ value: @escaping @Sendable (Runtime_V1_LinuxContainerResources) -> Int64
  ) -> MetricFamily {
    MetricFamily(name, .gauge, help) { subject in
      guard let container = subject.container, let value = UInt64(exactly: value(container.entry.record.resources)) else { return [] }
      return [([], value)]
    }
  }

  static let all = processor + memory + disk + network + processes + life
}
