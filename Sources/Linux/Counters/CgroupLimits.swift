/// Limits of a cgroup that are to change; nil and empty for what stays. -1 is "without a limit" where a limit is signed.
package struct CgroupLimits: Sendable, Hashable {
  package var cpuShares: UInt64?
  package struct Quota: Sendable, Hashable {
    /// Microseconds in each period; none where it is not positive.
    package var quota: Int64
    package var period: Int64

    package init(quota: Int64, period: Int64) {
      self.quota = quota
      self.period = period
    }
  }

  /// Both together, since v2 has one file for them.
  package var cpuQuota: Quota?
  package var cpus: String?
  package var memoryNodes: String?
  package var memory: Int64?
  /// Memory and swap together.
  package var memoryAndSwap: Int64?
  /// By page size, `2MB`.
  package var hugepages: [String: UInt64] = [:]
  /// Files of v2.
  package var unified: [String: String] = [:]

  package init() {}
}

extension CgroupReader {
  /// A limit that this machine has no file for.
  package struct Unsupported: Error, Sendable, Hashable {
    package let field: String
    package let reason: String
  }

  /// What to write where, in an order that the kernel accepts at every step: what may grow first grows first.
  package func changes(_ limits: CgroupLimits, of path: String) throws(Unsupported) -> [LimitChange] {
    try cpuset(limits, path) + processor(limits, path) + memory(limits, path) + hugepages(limits, path) + unified(limits, path)
  }

  private func cpuset(_ limits: CgroupLimits, _ path: String) throws(Unsupported) -> [LimitChange] {
    var changes: [LimitChange] = []
    if let cpus = limits.cpus {
      changes.append(LimitChange(field: "cpuset_cpus", file: try mount(cpuset, "cpuset_cpus") + path + "/cpuset.cpus", value: cpus))
    }
    if let nodes = limits.memoryNodes {
      changes.append(LimitChange(field: "cpuset_mems", file: try mount(cpuset, "cpuset_mems") + path + "/cpuset.mems", value: nodes))
    }
    return changes
  }

  private func processor(_ limits: CgroupLimits, _ path: String) throws(Unsupported) -> [LimitChange] {
    var changes: [LimitChange] = []
    if let shares = limits.cpuShares {
      switch cpu {
      case .legacy(let mount): changes.append(LimitChange(field: "cpu_shares", file: mount + path + "/cpu.shares", value: "\(shares)"))
      case .unified(let mount):
        changes.append(LimitChange(field: "cpu_shares", file: mount + path + "/cpu.weight", value: "\(Self.weight(shares: shares))"))
      case nil: throw Unsupported(field: "cpu_shares", reason: "this machine has no cpu controller")
      }
    }
    guard let asked = limits.cpuQuota else { return changes }
    let (quota, period) = (asked.quota, asked.period)
    switch cpu {
    case .legacy(let mount): return changes + legacyQuota(quota, period, mount + path)
    case .unified(let mount):
      return changes + [
        LimitChange(field: "cpu_quota", file: mount + path + "/cpu.max", value: "\(quota > 0 ? "\(quota)" : "max") \(period)")
      ]
    case nil: throw Unsupported(field: "cpu_quota", reason: "this machine has no cpu controller")
    }
  }

  /// The kernel checks the ratio at every write. A quota is taken away before and set after the period changes.
  private func legacyQuota(_ quota: Int64, _ period: Int64, _ group: String) -> [LimitChange] {
    let unlimited = LimitChange(field: "cpu_quota", file: group + "/cpu.cfs_quota_us", value: "-1")
    let length = LimitChange(field: "cpu_period", file: group + "/cpu.cfs_period_us", value: "\(period)")
    if quota <= 0 { return [unlimited, length] }
    let limited = LimitChange(field: "cpu_quota", file: group + "/cpu.cfs_quota_us", value: "\(quota)")
    if KernelText.number(length.file) == UInt64(period) { return [limited] }
    // Without a quota for the moment between two writes; a parent's quota forbids that to no one.
    return [unlimited, length, limited]
  }

  /// 2…262144 on 1…10000, as OCI runtimes translate shares.
  package static func weight(shares: UInt64) -> UInt64 { 1 + (min(max(shares, 2), 262_144) - 2) * 9999 / 262_142 }

  private func memory(_ limits: CgroupLimits, _ path: String) throws(Unsupported) -> [LimitChange] {
    switch memory {
    case .legacy(let mount): return legacyMemory(limits, mount + path)
    case .unified(let mount): return unifiedMemory(limits, mount + path)
    case nil:
      if limits.memory != nil { throw Unsupported(field: "memory_limit_in_bytes", reason: "this machine has no memory controller") }
      return []
    }
  }

  /// The sum may never be below its part.
  private func legacyMemory(_ limits: CgroupLimits, _ group: String) -> [LimitChange] {
    let limit = limits.memory.map { LimitChange(field: "memory_limit_in_bytes", file: group + "/memory.limit_in_bytes", value: "\($0)") }
    let sumFile = group + "/memory.memsw.limit_in_bytes"
    let sum = limits.memoryAndSwap.map { LimitChange(field: "memory_swap_limit_in_bytes", file: sumFile, value: "\($0)") }
    let current = KernelText.number(sumFile) ?? .max
    let grows = limits.memoryAndSwap.map { $0 < 0 || UInt64($0) >= current } ?? false
    return (grows ? [sum, limit] : [limit, sum]).compactMap { $0 }
  }

  private func unifiedMemory(_ limits: CgroupLimits, _ group: String) -> [LimitChange] {
    var changes: [LimitChange] = []
    if let limit = limits.memory {
      changes.append(LimitChange(field: "memory_limit_in_bytes", file: group + "/memory.max", value: Self.text(limit)))
    }
    guard let sum = limits.memoryAndSwap else { return changes }
    let swap = sum < 0 || (limits.memory ?? 0) < 0 ? -1 : max(0, sum - (limits.memory ?? 0))
    return changes + [LimitChange(field: "memory_swap_limit_in_bytes", file: group + "/memory.swap.max", value: Self.text(swap))]
  }

  private static func text(_ limit: Int64) -> String { limit < 0 ? "max" : "\(limit)" }

  /// Of pages in use and of pages reserved (mmap(2) reserves), where the kernel tells them apart: OCI runtimes set both.
  private func hugepages(_ limits: CgroupLimits, _ path: String) throws(Unsupported) -> [LimitChange] {
    var changes: [LimitChange] = []
    for (size, limit) in limits.hugepages.sorted(by: { $0.key < $1.key }) {
      let field = "hugepage_limits[\(size)]"
      let files = ["", ".rsvd"].compactMap { kind -> String? in
        switch hugepages {
        case .legacy(let mount): "\(mount)\(path)/hugetlb.\(size)\(kind).limit_in_bytes"
        case .unified(let mount): "\(mount)\(path)/hugetlb.\(size)\(kind).max"
        case nil: nil
        }
      }
      .filter(Files.exists)
      changes += files.map { LimitChange(field: field, file: $0, value: "\(limit)") }
      if files.isEmpty, limit > 0 { throw Unsupported(field: field, reason: "this cgroup counts no huge pages of that size") }
    }
    return changes
  }

  private func unified(_ limits: CgroupLimits, _ path: String) throws(Unsupported) -> [LimitChange] {
    try limits.unified.sorted { $0.key < $1.key }.map { key, value throws(Unsupported) in
      let field = "unified[\"\(key)\"]"
      guard let unified else { throw Unsupported(field: field, reason: "this machine has no cgroup v2") }
      let file = "\(unified)\(path)/\(key)"
      guard Files.exists(file) else { throw Unsupported(field: field, reason: "this cgroup has no such file") }
      return LimitChange(field: field, file: file, value: value)
    }
  }

  private func mount(_ place: Place?, _ field: String) throws(Unsupported) -> String {
    switch place {
    case .legacy(let mount), .unified(let mount): return mount
    case nil: throw Unsupported(field: field, reason: "this machine has no such controller")
    }
  }
}
