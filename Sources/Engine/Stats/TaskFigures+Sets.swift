import Core
import Linux

/// containerd's two sets (its core/metrics/cgroups/v1 and v2), controller by controller.
extension TaskFigures {
  static func all(of controller: CgroupReader.Controller, isUnified: Bool) -> [TaskFigures] {
    switch (controller, isUnified) {
    case (.cpu, false): legacyBandwidth
    case (.accounting, false): legacyProcessor
    case (.memory, false): legacyMemory
    case (.processes, _): isUnified ? unifiedProcesses : legacyProcesses
    case (.io, false): legacyIO
    case (.hugepages, false): hugepages
    case (.accounting, true): unifiedProcessor
    case (.memory, true): unifiedMemory
    case (.io, true): [unifiedIO]
    // v2 tells all of the processor in one file, and containerd nothing of huge pages there.
    case (.cpu, true), (.hugepages, true): []
    }
  }

  private static let legacyBandwidth: [TaskFigures] = [
    keys(
      "cpu.stat",
      [
        ("nr_periods", "cpu_throttle_periods", "total"), ("nr_throttled", "cpu_throttled_periods", "total"),
        ("throttled_time", "cpu_throttled_time", "nanoseconds"),
      ])
  ]

  private static let legacyProcessor: [TaskFigures] = [
    number("cpuacct.usage", "cpu_total", "nanoseconds"), processors("cpuacct.usage_percpu", "per_cpu", "nanoseconds"),
    // In ticks of 10 ms.
    keys("cpuacct.stat", [("user", "cpu_user", "nanoseconds"), ("system", "cpu_kernel", "nanoseconds")], scale: 10_000_000),
  ]

  private static let legacyProcesses = [
    number("pids.max", "pids", "limit", max: 0), number("pids.current", "pids", "current"),
  ]

  private static let legacyMemory: [TaskFigures] =
    [
      memory([
        "cache", "rss", "rss_huge", "mapped_file", "dirty", "writeback", "pgpgin", "pgpgout", "pgfault", "pgmajfault", "inactive_anon",
        "active_anon", "inactive_file", "active_file", "unevictable", "hierarchical_memory_limit", "hierarchical_memsw_limit",
        "total_cache",
        "total_rss", "total_rss_huge", "total_mapped_file", "total_dirty", "total_writeback", "total_pgpgin", "total_pgpgout",
        "total_pgfault", "total_pgmajfault", "total_inactive_anon", "total_active_anon", "total_inactive_file", "total_active_file",
        "total_unevictable",
      ]), keys("memory.oom_control", [("oom_kill", "memory_oom", "total")], .counter),
    ]
    + [("usage", ""), ("swap", "memsw."), ("kernel", "kmem."), ("kerneltcp", "kmem.tcp.")].flatMap { name, file in
      [
        number("memory.\(file)failcnt", "memory_\(name)_failcnt", "total"), number("memory.\(file)limit_in_bytes", "memory_\(name)_limit"),
        number("memory.\(file)max_usage_in_bytes", "memory_\(name)_max"), number("memory.\(file)usage_in_bytes", "memory_\(name)_usage"),
      ]
    }

  private static let legacyIO: [TaskFigures] = [
    ("merged", "io_merged", "total"), ("queued", "io_queued", "total"), ("service_bytes", "io_service_bytes", "bytes"),
    ("service_time", "io_service_time", "total"), ("serviced", "io_serviced", "total"), ("time", "time", "total"),
    ("sectors", "sectors", "total"),
  ].map { name, file, unit in
    let schedulers = ["", "bfq."] + (["service_bytes", "serviced"].contains(name) ? ["throttle."] : [])
    return operations(
      name == "sectors" ? "blkio_sectors_recursive" : "blkio_io_\(name)_recursive", unit,
      files: schedulers.map { "blkio.\($0)\(file)_recursive" })
  }

  private static let unifiedProcessor: [TaskFigures] = [
    keys(
      "cpu.stat",
      [
        ("usage_usec", "cpu_usage_usec", "microseconds"), ("user_usec", "cpu_user_usec", "microseconds"),
        ("system_usec", "cpu_system_usec", "microseconds"), ("nr_periods", "cpu_nr_periods", "total"),
        ("nr_throttled", "cpu_nr_throttled", "total"), ("throttled_usec", "cpu_throttled_usec", "microseconds"),
      ])
  ]

  private static let unifiedProcesses = [number("pids.max", "pids", "limit"), number("pids.current", "pids", "current")]

  private static let unifiedMemory: [TaskFigures] = [
    number("memory.current", "memory_usage"), number("memory.max", "memory_usage_limit"),
    number("memory.swap.current", "memory_swap_usage"), number("memory.swap.max", "memory_swap_limit"),
    memory([
      "file_mapped", "file_dirty", "file_writeback", "pgactivate", "pgdeactivate", "pgfault", "pgmajfault", "pglazyfree", "pgrefill",
      "pglazyfreed", "pgscan", "pgsteal", "inactive_anon", "active_anon", "inactive_file", "active_file", "unevictable", "anon", "file",
      "kernel_stack", "slab", "sock", "shmem", "anon_thp", "slab_reclaimable", "slab_unreclaimable", "workingset_nodereclaim",
      "thp_fault_alloc", "thp_collapse_alloc",
    ]), memory("workingset_refault", orBoth: ["workingset_refault_anon", "workingset_refault_file"]),
    memory("workingset_activate", orBoth: ["workingset_activate_anon", "workingset_activate_file"]),
    keys("memory.events", [("oom", "memory_oom", "total")]),
  ]
}
