package import CRIAPI
package import Core
package import OCI

/// CRI limits as the runtime spec writes them; also for updates of a running container.
package enum LinuxResources {
  /// Zero and empty mean "not given". Without a swap limit the memory limit covers both, so that a container does not swap.
  package static func make(_ asked: Runtime_V1_LinuxContainerResources, node: NodeFacts) throws(Fault) -> (
    RuntimeSpec.Resources, warnings: [String]
  ) {
    var resources = RuntimeSpec.Resources()
    var warnings: [String] = []
    resources.cpu = cpu(asked)
    resources.memory = memory(asked, node, &warnings)
    resources.hugepageLimits = try hugepages(asked, node, &warnings)
    resources.unified = try unified(asked, node, resources.memory)
    return (resources, warnings)
  }

  private static func cpu(_ asked: Runtime_V1_LinuxContainerResources) -> RuntimeSpec.CPU? {
    var cpu = RuntimeSpec.CPU()
    if asked.cpuShares > 0 { cpu.shares = UInt64(asked.cpuShares) }
    if asked.cpuQuota != 0 { cpu.quota = asked.cpuQuota }
    if asked.cpuPeriod > 0 { cpu.period = UInt64(asked.cpuPeriod) }
    if !asked.cpusetCpus.isEmpty { cpu.cpus = asked.cpusetCpus }
    if !asked.cpusetMems.isEmpty { cpu.mems = asked.cpusetMems }
    return cpu == RuntimeSpec.CPU() ? nil : cpu
  }

  private static func memory(_ asked: Runtime_V1_LinuxContainerResources, _ node: NodeFacts, _ warnings: inout [String]) -> RuntimeSpec
    .Memory?
  {
    var memory = RuntimeSpec.Memory()
    if asked.memoryLimitInBytes != 0 { memory.limit = asked.memoryLimitInBytes }
    let swap = asked.memorySwapLimitInBytes != 0 ? asked.memorySwapLimitInBytes : asked.memoryLimitInBytes
    if node.hasSwapLimits {
      if swap != 0 { memory.swap = swap }
    } else if asked.memorySwapLimitInBytes != 0, asked.memorySwapLimitInBytes != asked.memoryLimitInBytes {
      warnings.append("memory_swap_limit_in_bytes: ignored, this node does not count swap")
    }
    return memory == RuntimeSpec.Memory() ? nil : memory
  }

  /// A kubelet sends a limit for every page size it knows, most often 0: no reason to fail where nothing can count them.
  private static func hugepages(
    _ asked: Runtime_V1_LinuxContainerResources, _ node: NodeFacts, _ warnings: inout [String]
  ) throws(Fault) -> [RuntimeSpec.HugepageLimit]? {
    if asked.hugepageLimits.isEmpty { return nil }
    guard node.hasHugepageLimits else {
      if asked.hugepageLimits.contains(where: { $0.limit > 0 }) {
        warnings.append("hugepage_limits: ignored, this node has no hugetlb controller")
      }
      return nil
    }
    var limits: [RuntimeSpec.HugepageLimit] = []
    for (index, limit) in asked.hugepageLimits.enumerated() {
      if let sizes = node.hugepageSizes, !sizes.contains(limit.pageSize) {
        // None of pages that there are none of holds by itself.
        if limit.limit == 0 { continue }
        throw Fault(
          .failedPrecondition,
          "linux.resources.hugepage_limits[\(index)].page_size: \(limit.pageSize), this node has pages of \(sizes.sorted().joined(separator: ", "))"
        )
      }
      limits.append(RuntimeSpec.HugepageLimit(pageSize: limit.pageSize, limit: limit.limit))
    }
    return limits.isEmpty ? nil : limits
  }

  /// What v2 has instead of a limit for memory and swap together.
  package static let swapFile = "memory.swap.max"

  /// A limit of 0 for swap is told by its file, too: runtimes leave it out of what they tell systemd (runc and its MemorySwapMax), which
  /// would take it away at its next reload.
  private static func unified(
    _ asked: Runtime_V1_LinuxContainerResources, _ node: NodeFacts, _ memory: RuntimeSpec.Memory?
  ) throws(Fault) -> [String: String]? {
    if let first = asked.unified.keys.min(), node.cgroupVersion != .v2 {
      throw Fault(.failedPrecondition, "linux.resources.unified: \"\(first)\" needs cgroup v2, this node has v1")
    }
    try checkControllers(asked, node)
    var files = asked.unified
    if node.cgroupVersion == .v2, node.cgroupDriver == .systemd, let limit = memory?.limit, limit > 0, memory?.swap == limit,
      files[swapFile] == nil
    {
      files[swapFile] = "0"
    }
    return files.isEmpty ? nil : files
  }

  private static func checkControllers(_ asked: Runtime_V1_LinuxContainerResources, _ node: NodeFacts) throws(Fault) {
    guard let controllers = node.controllers else { return }
    for key in asked.unified.keys.sorted() {
      let controller = key.prefix { $0 != "." }
      if controller == "cgroup" || controllers.contains(String(controller)) { continue }
      throw Fault(.failedPrecondition, "linux.resources.unified[\"\(key)\"]: this node's cgroups have no controller \(controller)")
    }
  }
}

extension RuntimeSpec.Resources {
  /// These limits with those of `update` over them.
  package func updated(with update: RuntimeSpec.Resources) -> RuntimeSpec.Resources {
    var result = self
    var memory = memory ?? RuntimeSpec.Memory()
    (memory.limit, memory.swap) = (update.memory?.limit ?? memory.limit, update.memory?.swap ?? memory.swap)
    result.memory = memory == RuntimeSpec.Memory() ? nil : memory
    result.cpu = (cpu ?? RuntimeSpec.CPU()).updated(with: update.cpu ?? RuntimeSpec.CPU())
    if result.cpu == RuntimeSpec.CPU() { result.cpu = nil }
    result.hugepageLimits = update.hugepageLimits ?? hugepageLimits
    if update.memory?.swap != nil { result.unified?[LinuxResources.swapFile] = nil }
    if let more = update.unified { result.unified = (result.unified ?? [:]).merging(more) { _, new in new } }
    return result
  }
}

extension RuntimeSpec.CPU {
  fileprivate func updated(with update: RuntimeSpec.CPU) -> RuntimeSpec.CPU {
    var result = self
    result.shares = update.shares ?? shares
    result.quota = update.quota ?? quota
    result.period = update.period ?? period
    result.cpus = update.cpus ?? cpus
    result.mems = update.mems ?? mems
    return result
  }
}
