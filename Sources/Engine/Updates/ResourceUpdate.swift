import CRIAPI
import Core
import Linux
import Spec

/// Limits that are to change, over those that hold: zero and empty mean "as before".
struct ResourceUpdate: Sendable {
  let asked: Runtime_V1_LinuxContainerResources
  /// What holds afterwards.
  let result: Runtime_V1_LinuxContainerResources

  init(_ asked: Runtime_V1_LinuxContainerResources, over old: Runtime_V1_LinuxContainerResources) throws(Fault) {
    var result = old
    if asked.cpuPeriod != 0 { result.cpuPeriod = asked.cpuPeriod }
    if asked.cpuQuota != 0 { result.cpuQuota = asked.cpuQuota }
    if asked.cpuShares != 0 { result.cpuShares = asked.cpuShares }
    if asked.oomScoreAdj != 0 { result.oomScoreAdj = asked.oomScoreAdj }
    if !asked.cpusetCpus.isEmpty { result.cpusetCpus = asked.cpusetCpus }
    if !asked.cpusetMems.isEmpty { result.cpusetMems = asked.cpusetMems }
    for limit in asked.hugepageLimits {
      result.hugepageLimits.removeAll { $0.pageSize == limit.pageSize }
      result.hugepageLimits.append(limit)
    }
    result.unified.merge(asked.unified) { _, new in new }
    try Self.mergeMemory(asked, old, &result)
    self.asked = asked
    self.result = result
  }

  /// A container that could not swap still cannot where only its memory limit changes.
  private static func mergeMemory(
    _ asked: Runtime_V1_LinuxContainerResources, _ old: Runtime_V1_LinuxContainerResources,
    _ result: inout Runtime_V1_LinuxContainerResources
  ) throws(Fault) {
    if asked.memoryLimitInBytes != 0 { result.memoryLimitInBytes = asked.memoryLimitInBytes }
    let couldSwap = old.memorySwapLimitInBytes != 0 && old.memorySwapLimitInBytes != old.memoryLimitInBytes
    if asked.memorySwapLimitInBytes != 0 {
      result.memorySwapLimitInBytes = asked.memorySwapLimitInBytes
    } else if asked.memoryLimitInBytes != 0, old.memorySwapLimitInBytes != 0, !couldSwap {
      result.memorySwapLimitInBytes = asked.memoryLimitInBytes
    }
    let (limit, sum) = (result.memoryLimitInBytes, result.memorySwapLimitInBytes)
    guard sum > 0, limit > sum || limit < 0 else { return }
    throw Fault(
      .invalidArgument, "linux.memory_swap_limit_in_bytes: \(sum) would be below memory_limit_in_bytes (\(limit)), which it includes")
  }

  /// What the OCI runtime and the spec are told: as asked for, but memory's two limits always together (without the second one a runtime
  /// would take a container that can swap for one that cannot), and all files of v2 (systemd puts some back whenever it is told of another).
  var told: Runtime_V1_LinuxContainerResources {
    var told = asked
    told.unified = result.unified
    guard asked.memoryLimitInBytes != 0 || asked.memorySwapLimitInBytes != 0 else { return told }
    (told.memoryLimitInBytes, told.memorySwapLimitInBytes) = (result.memoryLimitInBytes, result.memorySwapLimitInBytes)
    return told
  }

  /// What of it cgroups hold. Files are written only for what was asked for.
  /// - Parameter countsSwap: false where the node has no limits for swap.
  func limits(countsSwap: Bool) -> CgroupLimits {
    var limits = CgroupLimits()
    if asked.cpuShares > 0 { limits.cpuShares = UInt64(asked.cpuShares) }
    if asked.cpuQuota != 0 || asked.cpuPeriod != 0 {
      limits.cpuQuota = .init(quota: result.cpuQuota, period: result.cpuPeriod == 0 ? 100_000 : result.cpuPeriod)
    }
    if !asked.cpusetCpus.isEmpty { limits.cpus = asked.cpusetCpus }
    if !asked.cpusetMems.isEmpty { limits.memoryNodes = asked.cpusetMems }
    for limit in asked.hugepageLimits { limits.hugepages[limit.pageSize] = limit.limit }
    limits.unified = asked.unified
    guard asked.memoryLimitInBytes != 0 || asked.memorySwapLimitInBytes != 0 else { return limits }
    limits.memory = result.memoryLimitInBytes == 0 ? nil : result.memoryLimitInBytes
    // Where the limit of swap was set by its file, that stays.
    if countsSwap, asked.memorySwapLimitInBytes != 0 || result.unified[LinuxResources.swapFile] == nil {
      let sum = result.memorySwapLimitInBytes != 0 ? result.memorySwapLimitInBytes : result.memoryLimitInBytes
      limits.memoryAndSwap = sum == 0 ? nil : sum
    }
    return limits
  }
}
