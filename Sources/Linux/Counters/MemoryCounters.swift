/// Memory of a cgroup and all below it. Bytes.
package struct MemoryCounters: Sendable, Hashable {
  package var usage: UInt64
  /// Nil without a limit.
  package var limit: UInt64?
  /// Page cache, tmpfs included.
  package var cache: UInt64 = 0
  /// Anonymous memory.
  package var anonymous: UInt64 = 0
  package var mappedFile: UInt64 = 0
  package var activeFile: UInt64 = 0
  package var inactiveFile: UInt64 = 0
  package var activeAnonymous: UInt64 = 0
  package var inactiveAnonymous: UInt64 = 0
  /// In huge pages that the kernel makes by itself; v1 tells only those of anonymous memory.
  package var hugeAnonymous: UInt64 = 0
  package var hugeShared: UInt64 = 0
  package var hugeFile: UInt64 = 0
  package var faults: UInt64 = 0
  package var majorFaults: UInt64 = 0
  /// Of the group alone, where the kernel tells it apart (v1).
  package var ownFaults: UInt64 = 0
  package var ownMajorFaults: UInt64 = 0
  /// Nil where the kernel does not count swap.
  package var swap: UInt64?
  /// Of swap alone; nil without a limit.
  package var swapLimit: UInt64?
  /// The kernel's own, on the group's behalf, where `memory.stat` says it (v2).
  package var kernel: UInt64?

  package init(usage: UInt64) { self.usage = usage }

  /// What the kernel could not give back at once: usage less inactive file pages.
  package var workingSet: UInt64 { usage > inactiveFile ? usage - inactiveFile : 0 }

  /// Nil without a limit.
  package var available: UInt64? { limit.map { $0 > workingSet ? $0 - workingSet : 0 } }

  /// Nil without a limit of swap.
  package var swapAvailable: UInt64? {
    guard let swapLimit else { return nil }
    return swapLimit > (swap ?? 0) ? swapLimit - (swap ?? 0) : 0
  }
}

extension MemoryCounters {
  private static let unifiedNames: [StaticString] = [
    "file", "anon", "file_mapped", "active_file", "inactive_file", "pgfault", "pgmajfault", "kernel", "kernel_stack", "slab", "pagetables",
    "active_anon", "inactive_anon", "anon_thp", "shmem_thp", "file_thp",
  ]

  /// From `memory.stat` of v2.
  mutating func add(unified text: [UInt8]) {
    let values = KernelText.values(Self.unifiedNames, in: text)
    (cache, anonymous, mappedFile) = (values[0] ?? 0, values[1] ?? 0, values[2] ?? 0)
    (activeFile, inactiveFile) = (values[3] ?? 0, values[4] ?? 0)
    (faults, majorFaults) = (values[5] ?? 0, values[6] ?? 0)
    (ownFaults, ownMajorFaults) = (faults, majorFaults)
    (activeAnonymous, inactiveAnonymous) = (values[11] ?? 0, values[12] ?? 0)
    (hugeAnonymous, hugeShared, hugeFile) = (values[13] ?? 0, values[14] ?? 0, values[15] ?? 0)
    // "kernel" is there since Linux 5.18; before, its larger parts are.
    kernel = values[7] ?? (values[8] ?? 0) + (values[9] ?? 0) + (values[10] ?? 0)
  }

  private static let legacyNames: [StaticString] = [
    "total_cache", "total_rss", "total_mapped_file", "total_active_file", "total_inactive_file", "total_pgfault", "total_pgmajfault",
    "pgfault", "pgmajfault", "total_swap", "total_active_anon", "total_inactive_anon", "total_rss_huge",
  ]

  /// From `memory.stat` of v1; `total_` includes the groups below.
  mutating func add(legacy text: [UInt8]) {
    let values = KernelText.values(Self.legacyNames, in: text)
    (cache, anonymous, mappedFile) = (values[0] ?? 0, values[1] ?? 0, values[2] ?? 0)
    (activeFile, inactiveFile) = (values[3] ?? 0, values[4] ?? 0)
    (faults, majorFaults) = (values[5] ?? 0, values[6] ?? 0)
    (ownFaults, ownMajorFaults) = (values[7] ?? 0, values[8] ?? 0)
    swap = values[9]
    (activeAnonymous, inactiveAnonymous, hugeAnonymous) = (values[10] ?? 0, values[11] ?? 0, values[12] ?? 0)
  }
}
