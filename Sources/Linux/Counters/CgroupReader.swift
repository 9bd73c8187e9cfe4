/// What a cgroup counted, whatever hierarchies this machine has. Reads only; each file that is missing leaves out what it would say.
package struct CgroupReader: Sendable {
  /// Where a controller is.
  enum Place: Sendable, Hashable {
    case legacy(String)
    case unified(String)
  }

  let cpu: Place?
  let accounting: Place?
  let memory: Place?
  let processes: Place?
  let io: Place?
  let hugepages: Place?
  let cpuset: Place?
  /// Mount point of v2, which counts pressure even where all controllers are on v1.
  let unified: String?

  package init(_ tree: CgroupTree) {
    let unified = tree.hierarchies.first { $0.kind == .unified }?.mountPoint
    func place(_ controller: String) -> Place? {
      if let legacy = tree.hierarchies.first(where: { $0.controls(controller) }) { return .legacy(legacy.mountPoint) }
      return unified.map { .unified($0) }
    }
    self.unified = unified
    cpu = place("cpu")
    accounting = place("cpuacct")
    memory = place("memory")
    processes = place("pids")
    io = place("blkio")
    hugepages = place("hugetlb")
    cpuset = place("cpuset")
  }

  /// Processor time alone, for rates. Nil where the group is gone.
  package func cpuTime(_ path: String) -> UInt64? {
    switch accounting {
    case .legacy(let mount): KernelText.number(mount + path + "/cpuacct.usage")
    case .unified(let mount): KernelText.read(mount + path + "/cpu.stat").flatMap { CPUCounters(unified: $0)?.usage }
    case nil: nil
    }
  }

  /// With user and system time and throttling.
  package func cpuCounters(_ path: String) -> CPUCounters? {
    switch accounting {
    case .legacy(let mount):
      guard let usage = KernelText.number(mount + path + "/cpuacct.usage") else { return nil }
      var counters = CPUCounters(usage: usage)
      if let text = KernelText.read(mount + path + "/cpuacct.stat") { counters.add(accounting: text) }
      if case .legacy(let mount) = cpu, let text = KernelText.read(mount + path + "/cpu.stat") { counters.add(bandwidth: text) }
      return counters
    case .unified(let mount): return KernelText.read(mount + path + "/cpu.stat").flatMap { CPUCounters(unified: $0) }
    case nil: return nil
    }
  }

  package func memoryCounters(_ path: String) -> MemoryCounters? {
    switch memory {
    case .legacy(let mount): legacyMemory(mount + path)
    case .unified(let mount): unifiedMemory(mount + path)
    case nil: nil
    }
  }

  private func unifiedMemory(_ group: String) -> MemoryCounters? {
    guard let usage = KernelText.number(group + "/memory.current") else { return nil }
    var counters = MemoryCounters(usage: usage)
    counters.limit = KernelText.number(group + "/memory.max")
    if let text = KernelText.read(group + "/memory.stat") { counters.add(unified: text) }
    counters.swap = KernelText.number(group + "/memory.swap.current")
    counters.swapLimit = KernelText.number(group + "/memory.swap.max")
    return counters
  }

  private func legacyMemory(_ group: String) -> MemoryCounters? {
    guard let usage = KernelText.number(group + "/memory.usage_in_bytes") else { return nil }
    var counters = MemoryCounters(usage: usage)
    counters.limit = Self.limit(group + "/memory.limit_in_bytes")
    if let text = KernelText.read(group + "/memory.stat") { counters.add(legacy: text) }
    // Memory and swap are limited together there.
    if let memory = counters.limit, let both = Self.limit(group + "/memory.memsw.limit_in_bytes") {
      counters.swapLimit = both > memory ? both - memory : 0
    }
    return counters
  }

  /// v1 writes "no limit" as the largest number of whole pages.
  private static func limit(_ path: String) -> UInt64? { KernelText.number(path).flatMap { $0 < 1 << 62 ? $0 : nil } }

  package func cpuPressure(_ path: String) -> Pressure? { pressure(path, "/cpu.pressure") }
  package func memoryPressure(_ path: String) -> Pressure? { pressure(path, "/memory.pressure") }
  package func ioPressure(_ path: String) -> Pressure? { pressure(path, "/io.pressure") }

  private func pressure(_ path: String, _ file: String) -> Pressure? {
    unified.flatMap { KernelText.read($0 + path + file) }.flatMap { Pressure($0) }
  }
}
