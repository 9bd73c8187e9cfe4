import CRIAPI
import Engine
import Linux

extension MetricFamily {
  static let memory: [MetricFamily] =
    [
      one("memory_cache", .gauge, "Number of bytes of page cache memory.") { $0.memory?.cache },
      one("memory_rss", .gauge, "Size of RSS in bytes.") { $0.memory?.anonymous },
      one("memory_kernel_usage", .gauge, "Size of kernel memory allocated in bytes.") { $0.kernelMemory },
      one("memory_mapped_file", .gauge, "Size of memory mapped files in bytes.") { $0.memory?.mappedFile },
      one("memory_swap", .gauge, "Container swap usage in bytes.") { $0.memory?.swap },
      one("memory_failcnt", .counter, "Number of times that memory usage hit the limit.") { $0.memoryLimitHits },
      one("memory_usage_bytes", .gauge, "Current memory usage in bytes, including all memory regardless of when it was accessed.") {
        $0.memory?.usage
      },
      one("memory_max_usage_bytes", .gauge, "Maximum memory usage recorded in bytes.") { $0.memoryPeak },
      one("memory_working_set_bytes", .gauge, "Current working set in bytes.") { $0.memory?.workingSet },
      one("memory_total_active_file_bytes", .gauge, "Current total active file in bytes.") { $0.memory?.activeFile },
      one("memory_total_inactive_file_bytes", .gauge, "Current total inactive file in bytes.") { $0.memory?.inactiveFile },
      one("memory_active_anon_bytes", .gauge, "Current active anonymous memory in bytes.") { $0.memory?.activeAnonymous },
      one("memory_inactive_anon_bytes", .gauge, "Current inactive anonymous memory in bytes.") { $0.memory?.inactiveAnonymous },
      one("memory_anon_thp_bytes", .gauge, "Anonymous memory in transparent huge pages in bytes.") { $0.memory?.hugeAnonymous },
      one("memory_shmem_thp_bytes", .gauge, "Shared memory in transparent huge pages in bytes, 0 with cgroup v1.") {
        $0.memory?.hugeShared
      },
      one("memory_file_thp_bytes", .gauge, "Memory of files in transparent huge pages in bytes, 0 with cgroup v1.") { $0.memory?.hugeFile },
      MetricFamily("memory_failures_total", .counter, "Cumulative count of memory allocation failures.", labels: ["failure_type", "scope"])
      {
        $0.group?.memory.map(faults) ?? []
      },
      one("oom_events_total", .counter, "Count of out of memory events observed for the container.") { $0.outOfMemoryKills },
    ] + hugepages

  private static func faults(_ memory: MemoryCounters) -> [Value] {
    [
      (["pgfault", "container"], memory.ownFaults), (["pgmajfault", "container"], memory.ownMajorFaults),
      (["pgfault", "hierarchy"], memory.faults), (["pgmajfault", "hierarchy"], memory.majorFaults),
    ]
  }

  private static let hugepages: [MetricFamily] = [
    MetricFamily("hugetlb_usage_bytes", .gauge, "Current hugepage usage in bytes.", labels: ["pagesize"]) { subject in
      subject.group?.hugepages.map { ([$0.pageSize], $0.usage) } ?? []
    },
    MetricFamily("hugetlb_max_usage_bytes", .gauge, "Maximum hugepage usage recorded in bytes.", labels: ["pagesize"]) { subject in
      subject.group?.hugepages.map { ([$0.pageSize], $0.maximum) } ?? []
    },
  ]
}
