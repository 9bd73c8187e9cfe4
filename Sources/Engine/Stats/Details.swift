import Core
package import Linux

/// All that metrics say of one cgroup. What the kernel does not count is nil or empty.
package struct GroupDetails: Sendable {
  /// Nanoseconds since the epoch.
  package var at: Int64
  package var cpu: CPUCounters?
  package var memory: MemoryCounters?
  package var memoryPeak: UInt64?
  package var memoryLimitHits: UInt64?
  package var kernelMemory: UInt64?
  package var outOfMemoryKills: UInt64?
  package var cpuPressure: Pressure?
  package var memoryPressure: Pressure?
  package var ioPressure: Pressure?
  /// With the name of the device.
  package var io: [(device: String, counters: IOCounters)]
  package var hugepages: [HugepageCounters]
  package var threads: UInt64?
  /// Nil for any number.
  package var maximumThreads: UInt64?
  package var processes: UInt64
  package var open: ProcessCounters
}

package struct ContainerDetails: Sendable {
  package var entry: ContainerEntry
  package var group: GroupDetails
  package var writable: WritableLayers.Measured?
  /// Soft limits of the first process; those without a limit are left out.
  package var limits: [(name: String, limit: UInt64)]
}

package struct PodDetails: Sendable {
  package var entry: SandboxEntry
  /// Nil where the pod has no cgroup to itself.
  package var group: GroupDetails?
  package var network: [NetworkCounters]
  /// Where writable layers are.
  package var filesystem: FilesystemCapacity?
  package var containers: [ContainerDetails]
}

extension StatsService {
  /// Of ready pods, with their running containers.
  package func details(of pods: [SandboxEntry]) async -> [PodDetails] {
    let groups = PodGroups(ledger.sandboxes())
    let capacity = try? FilesystemCapacity.read(root)
    return await inBatches(pods) { [self] entry in
      let record = entry.record
      let containers = ledger.containerEntries(of: record.id).filter { $0.record.state == .running }.sorted { $0.record.id < $1.record.id }
      return PodDetails(
        entry: entry, group: groups.group(of: record).flatMap { details($0) },
        network: record.plan.ownNetwork && record.holderPID > 0 ? NetworkCounters.read(pid: record.holderPID) ?? [] : [],
        filesystem: capacity, containers: containers.compactMap { details($0) })
    }
  }

  private func details(_ entry: ContainerEntry) -> ContainerDetails? {
    guard let group = details(entry.record.plan.cgroup) else { return nil }
    let limits = KernelText.read("/proc/\(entry.record.pid)/limits").map { ProcessCounters.softLimits($0) } ?? []
    return ContainerDetails(
      entry: entry, group: group, writable: writable.usage(entry.record.id),
      limits: limits.compactMap { limit in limit.limit.map { (limit.name, $0) } })
  }

  private func details(_ path: String) -> GroupDetails? {
    guard let cpu = reader.cpuCounters(path) else { return nil }
    let pids = reader.processIDs(path)
    let threads = reader.threads(path)
    return GroupDetails(
      at: SystemClock.realtimeNanoseconds(), cpu: cpu, memory: reader.memoryCounters(path), memoryPeak: reader.memoryPeak(path),
      memoryLimitHits: reader.memoryLimitHits(path), kernelMemory: reader.kernelMemory(path),
      outOfMemoryKills: reader.outOfMemoryKills(path), cpuPressure: reader.cpuPressure(path), memoryPressure: reader.memoryPressure(path),
      ioPressure: reader.ioPressure(path), io: reader.ioCounters(path).map { (BlockDevice.name($0.device), $0) },
      hugepages: reader.hugepageCounters(path), threads: threads?.current, maximumThreads: threads?.maximum,
      processes: UInt64(pids.count), open: ProcessCounters.read(pids))
  }
}
