package import Linux

/// What one cgroup used, at one moment. What the kernel does not count is nil.
package struct GroupUsage: Sendable {
  /// Nanoseconds since the epoch.
  package var at: Int64
  /// Nanoseconds of processor time.
  package var cpu: UInt64?
  package var nanoCores: UInt64?
  package var cpuPressure: Pressure?
  package var memory: MemoryCounters?
  package var memoryPressure: Pressure?
  package var ioPressure: Pressure?

  init(at: Int64) { self.at = at }
}

package struct ContainerUsage: Sendable {
  package var entry: ContainerEntry
  /// Nil where the container does not run.
  package var group: GroupUsage?
  package var writable: WritableLayers.Measured?
  /// The directory that `writable` measured.
  package var writablePath: String
}

package struct PodUsage: Sendable {
  package var entry: SandboxEntry
  /// Nil where the pod is not ready.
  package var group: GroupUsage?
  /// Nil for a pod on the host's network, and for one that is not ready.
  package var network: [NetworkCounters]?
  package var processes: UInt64?
  package var containers: [ContainerUsage]
}

extension GroupUsage {
  /// The sum over a pod's groups where it has none of its own. Pressure does not add up.
  static func sum(_ parts: [GroupUsage]) -> GroupUsage? {
    guard var total = parts.first else { return nil }
    (total.cpuPressure, total.memoryPressure, total.ioPressure) = (nil, nil, nil)
    for part in parts.dropFirst() {
      total.cpu = add(total.cpu, part.cpu)
      total.nanoCores = add(total.nanoCores, part.nanoCores)
      if let memory = part.memory { total.memory = total.memory.map { $0 + memory } ?? memory }
    }
    total.memory?.limit = nil
    total.memory?.swapLimit = nil
    return total
  }

  private static func add(_ a: UInt64?, _ b: UInt64?) -> UInt64? {
    guard let a, let b else { return a ?? b }
    return a &+ b
  }
}

extension MemoryCounters {
  /// What a guest tells of itself may be anything.
  fileprivate static func + (a: MemoryCounters, b: MemoryCounters) -> MemoryCounters {
    var sum = a
    sum.usage &+= b.usage
    sum.cache &+= b.cache
    sum.anonymous &+= b.anonymous
    sum.mappedFile &+= b.mappedFile
    sum.activeFile &+= b.activeFile
    sum.inactiveFile &+= b.inactiveFile
    sum.faults &+= b.faults
    sum.majorFaults &+= b.majorFaults
    sum.ownFaults &+= b.ownFaults
    sum.ownMajorFaults &+= b.ownMajorFaults
    if let swap = b.swap { sum.swap = (sum.swap ?? 0) &+ swap }
    if let kernel = b.kernel { sum.kernel = (sum.kernel ?? 0) &+ kernel }
    return sum
  }
}
