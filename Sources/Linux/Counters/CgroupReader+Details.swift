/// Counters that only the metrics want.
extension CgroupReader {
  /// The most memory that was ever in use; nil where the kernel does not remember it (v2 before Linux 5.19).
  package func memoryPeak(_ path: String) -> UInt64? { memoryNumber(path, legacy: "memory.max_usage_in_bytes", unified: "memory.peak") }

  /// How often the limit was met.
  package func memoryLimitHits(_ path: String) -> UInt64? {
    switch memory {
    case .legacy(let mount): KernelText.number("\(mount)\(path)/memory.failcnt")
    case .unified(let mount): KernelText.read("\(mount)\(path)/memory.events").flatMap { KernelText.values(["max"], in: $0)[0] }
    case nil: nil
    }
  }

  /// Processes of the group and of those below killed for want of memory. v1 counts each group's own: there those of a group that was removed are gone.
  package func outOfMemoryKills(_ path: String) -> UInt64? {
    switch memory {
    case .legacy(let mount):
      guard let own = Self.outOfMemoryKills(in: "\(mount)\(path)/memory.oom_control") else { return nil }
      return Cgroup.groups(below: mount + path).dropLast().reduce(own) {
        $0 + (Self.outOfMemoryKills(in: $1 + "/memory.oom_control") ?? 0)
      }
    case .unified(let mount): return Self.outOfMemoryKills(in: "\(mount)\(path)/memory.events")
    case nil: return nil
    }
  }

  private static func outOfMemoryKills(in file: String) -> UInt64? {
    KernelText.read(file).flatMap { KernelText.values(["oom_kill"], in: $0)[0] }
  }

  /// The kernel's own memory, on the group's behalf.
  package func kernelMemory(_ path: String) -> UInt64? {
    guard case .legacy(let mount) = memory else { return memoryCounters(path)?.kernel }
    return KernelText.number("\(mount)\(path)/memory.kmem.usage_in_bytes")
  }

  private func memoryNumber(_ path: String, legacy: String, unified: String) -> UInt64? {
    switch memory {
    case .legacy(let mount): KernelText.number("\(mount)\(path)/\(legacy)")
    case .unified(let mount): KernelText.number("\(mount)\(path)/\(unified)")
    case nil: nil
    }
  }

  /// Threads in the group and below, and how many there may be (nil: any number).
  package func threads(_ path: String) -> (current: UInt64, maximum: UInt64?)? {
    let mount: String
    switch processes {
    case .legacy(let place), .unified(let place): mount = place
    case nil: return nil
    }
    guard let current = KernelText.number("\(mount)\(path)/pids.current") else { return nil }
    return (current, KernelText.number("\(mount)\(path)/pids.max"))
  }

  /// Processes in the group and below. One hierarchy is asked: all have the same members.
  package func processIDs(_ path: String) -> [Int32] {
    let mount: String
    switch processes ?? memory ?? cpu {
    case .legacy(let place), .unified(let place): mount = place
    case nil: return []
    }
    return Cgroup.groups(below: mount + path).flatMap { Self.members($0) }
  }

  private static func members(_ group: String) -> [Int32] {
    var pids: [Int32] = []
    KernelText.forEachLine(KernelText.read(group + "/cgroup.procs") ?? []) { line in
      if let pid = KernelText.number(line) { pids.append(Int32(truncatingIfNeeded: pid)) }
    }
    return pids
  }

  /// A line a device that was used.
  package func ioCounters(_ path: String) -> [IOCounters] {
    switch io {
    case .unified(let mount): return KernelText.read("\(mount)\(path)/io.stat").map(IOCounters.unified) ?? []
    case .legacy(let mount):
      for scheduler in ["throttle", "bfq"] {
        let prefix = "\(mount)\(path)/blkio.\(scheduler).io_service"
        guard let bytes = KernelText.read(prefix + "_bytes_recursive") else { continue }
        let counters = IOCounters.legacy(bytes: bytes, operations: KernelText.read(prefix + "d_recursive") ?? [])
        if !counters.isEmpty { return counters }
      }
      return []
    case nil: return []
    }
  }

  package func hugepageCounters(_ path: String, sizes: [String] = HugepageCounters.sizes) -> [HugepageCounters] {
    sizes.compactMap { size in
      let prefix: String
      let (current, peak): (String, String)
      switch hugepages {
      case .legacy(let mount): (prefix, current, peak) = ("\(mount)\(path)/hugetlb.\(size).", "usage_in_bytes", "max_usage_in_bytes")
      case .unified(let mount): (prefix, current, peak) = ("\(mount)\(path)/hugetlb.\(size).", "current", "peak")
      case nil: return nil
      }
      guard let usage = KernelText.number(prefix + current) else { return nil }
      // v2 does not remember the most there was: what is in use now is all that is known.
      return HugepageCounters(pageSize: size, usage: usage, maximum: KernelText.number(prefix + peak) ?? usage)
    }
  }
}
