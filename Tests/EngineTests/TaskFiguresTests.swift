import Core
import Linux
import Support
import Testing

@testable import Engine

/// Figures of containers' cgroups from recorded files, by the names that containerd has (2.x, core/metrics/cgroups).
@Suite struct TaskFiguresTests {
  /// `name{labels}` and value of all that the files say, labels beyond the container's.
  private func read(isUnified: Bool, _ files: [String: String]) throws -> [String: Double] {
    try withScratch("figures") { scratch in
      for (name, text) in files { try Files.write(text, to: "\(scratch)/\(name)") }
      var found: [String: Double] = [:]
      for controller in CgroupReader.Controller.allCases {
        for figures in TaskFigures.all(of: controller, isUnified: isUnified) {
          for value in figures.read(scratch) {
            let measure = figures.measures[value.measure]
            #expect(measure.labels.prefix(2) == ["container_id", "namespace"] && measure.labels.count == value.labels.count + 2)
            found[([measure.name] + value.labels).joined(separator: " ")] = value.value
          }
        }
      }
      return found
    }
  }

  private static func lines(_ keys: String) -> String {
    keys.split(separator: " ").enumerated().map { "\($1) \($0 + 1)\n" }.joined()
  }

  private static let legacyStat =
    "cache rss rss_huge mapped_file dirty writeback pgpgin pgpgout pgfault pgmajfault inactive_anon active_anon inactive_file active_file "
    + "unevictable hierarchical_memory_limit hierarchical_memsw_limit total_cache total_rss total_rss_huge total_mapped_file total_dirty "
    + "total_writeback total_pgpgin total_pgpgout total_pgfault total_pgmajfault total_inactive_anon total_active_anon total_inactive_file "
    + "total_active_file total_unevictable"

  @Test func `v1's set is whole`() throws {
    var files = [
      "memory.stat": Self.lines(Self.legacyStat), "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 7\n",
      "cpuacct.usage": "1500\n", "cpuacct.usage_percpu": "1000 500 \n", "cpuacct.stat": "user 3\nsystem 4\n",
      "cpu.stat": "nr_periods 5\nnr_throttled 6\nthrottled_time 7\n", "pids.max": "max\n", "pids.current": "2\n",
      "blkio.throttle.io_service_bytes_recursive": "7:0 Read 100\n7:0 Total 100\nTotal 100\n", "blkio.io_serviced_recursive": "",
      "blkio.bfq.io_serviced_recursive": "7:0 Write 3\nTotal 3\n", "blkio.bfq.time_recursive": "7:0 9\n",
      "blkio.sectors_recursive": "7:0 11\n",
      "blkio.io_merged_recursive": "7:0 Read 1\n", "blkio.io_queued_recursive": "7:0 Read 2\n",
      "blkio.io_service_time_recursive": "7:0 Read 3\n",
    ]
    for part in ["", "memsw.", "kmem.", "kmem.tcp."] {
      for (index, file) in ["usage_in_bytes", "max_usage_in_bytes", "failcnt", "limit_in_bytes"].enumerated() {
        files["memory.\(part)\(file)"] = "\(part.utf8.count * 10 + index)\n"
      }
    }
    let found = try read(isUnified: false, files)
    for (index, key) in Self.legacyStat.split(separator: " ").enumerated() {
      #expect(found["container_memory_\(key)_bytes"] == Double(index + 1), "\(key)")
    }
    for (name, offset) in [("usage", 0), ("swap", 60), ("kernel", 50), ("kerneltcp", 90)] {
      #expect(found["container_memory_\(name)_usage_bytes"] == Double(offset), "\(name)")
      #expect(found["container_memory_\(name)_max_bytes"] == Double(offset + 1))
      #expect(found["container_memory_\(name)_failcnt_total"] == Double(offset + 2))
      #expect(found["container_memory_\(name)_limit_bytes"] == Double(offset + 3))
    }
    let device = BlockDevice.name(DeviceNumber(major: 7, minor: 0))
    let others: [String: Double] = [
      "container_memory_oom_total": 7, "container_cpu_total_nanoseconds": 1500, "container_cpu_user_nanoseconds": 30_000_000,
      "container_cpu_kernel_nanoseconds": 40_000_000, "container_per_cpu_nanoseconds 0": 1000, "container_per_cpu_nanoseconds 1": 500,
      "container_cpu_throttle_periods_total": 5, "container_cpu_throttled_periods_total": 6, "container_cpu_throttled_time_nanoseconds": 7,
      "container_pids_limit": 0, "container_pids_current": 2, "container_blkio_io_service_bytes_recursive_bytes Read \(device) 7 0": 100,
      "container_blkio_io_service_bytes_recursive_bytes Total \(device) 7 0": 100,
      "container_blkio_io_serviced_recursive_total Write \(device) 7 0": 3, "container_blkio_io_time_recursive_total  \(device) 7 0": 9,
      "container_blkio_sectors_recursive_total  \(device) 7 0": 11, "container_blkio_io_merged_recursive_total Read \(device) 7 0": 1,
      "container_blkio_io_queued_recursive_total Read \(device) 7 0": 2,
      "container_blkio_io_service_time_recursive_total Read \(device) 7 0": 3,
    ]
    for (name, value) in others { #expect(found[name] == value, "\(name)") }
    #expect(found.count == 32 + 16 + others.count)
  }

  private static let unifiedStat =
    "file_mapped file_dirty file_writeback pgactivate pgdeactivate pgfault pgmajfault pglazyfree pgrefill pglazyfreed pgscan pgsteal "
    + "inactive_anon active_anon inactive_file active_file unevictable anon file kernel_stack slab sock shmem anon_thp slab_reclaimable "
    + "slab_unreclaimable workingset_nodereclaim thp_fault_alloc thp_collapse_alloc"

  @Test func `v2's set is whole, and keys that kernels split are their sum`() throws {
    let found = try read(
      isUnified: true,
      [
        "cpu.stat": "usage_usec 1\nuser_usec 2\nsystem_usec 3\nnr_periods 4\nnr_throttled 5\nthrottled_usec 6\n", "memory.current": "10\n",
        "memory.max": "max\n", "memory.swap.current": "11\n", "memory.swap.max": "12\n",
        "memory.stat": Self.lines(Self.unifiedStat)
          + "workingset_refault_anon 3\nworkingset_refault_file 4\nworkingset_activate_anon 5\nworkingset_activate_file 6\n",
        "memory.events": "low 0\nhigh 0\nmax 0\noom 8\noom_kill 1\n", "pids.current": "2\n", "pids.max": "100\n",
        "io.stat": "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n",
      ])
    for (index, key) in Self.unifiedStat.split(separator: " ").enumerated() {
      #expect(found["container_memory_\(key)_bytes"] == Double(index + 1), "\(key)")
    }
    let others: [String: Double] = [
      "container_cpu_usage_usec_microseconds": 1, "container_cpu_user_usec_microseconds": 2, "container_cpu_system_usec_microseconds": 3,
      "container_cpu_nr_periods_total": 4, "container_cpu_nr_throttled_total": 5, "container_cpu_throttled_usec_microseconds": 6,
      "container_memory_usage_bytes": 10, "container_memory_usage_limit_bytes": Double(UInt64.max), "container_memory_swap_usage_bytes": 11,
      "container_memory_swap_limit_bytes": 12, "container_memory_workingset_refault_bytes": 7,
      "container_memory_workingset_activate_bytes": 11, "container_memory_oom_total": 8, "container_pids_current": 2,
      "container_pids_limit": 100, "container_io_rbytes_bytes 8 0": 1, "container_io_wbytes_bytes 8 0": 2, "container_io_rios_total 8 0": 3,
      "container_io_wios_total 8 0": 4,
    ]
    for (name, value) in others { #expect(found[name] == value, "\(name)") }
    #expect(found.count == 29 + others.count)
    #expect(try read(isUnified: true, ["memory.stat": "workingset_refault 9\n"]) == ["container_memory_workingset_refault_bytes": 9])
  }

  @Test func `what a kernel does not count is left out`() throws {
    #expect(try read(isUnified: true, [:]).isEmpty)
    #expect(try read(isUnified: false, ["memory.stat": "odd\n\n", "cpuacct.usage": "x\n"]).isEmpty)
  }
}
