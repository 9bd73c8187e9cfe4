import CRIAPI
import Core
import Linux

extension SpecInputs {
  /// What the kernel would refuse a cgroup: cgroup v1 processors that are not online and nodes without memory, v2 those that the machine can never
  /// have.
  func checkPlacement() throws(Fault) {
    let (asked, field) = (container.linux.resources, "linux.resources")
    try check(asked.cpusetCpus, "\(field).cpuset_cpus", "processors", lookups.processors)
    try check(asked.cpusetMems, "\(field).cpuset_mems", "memory nodes", lookups.memoryNodes)
  }

  private func check(
    _ asked: String, _ field: String, _ what: String, _ look: (NodeFacts.CgroupVersion) throws -> CPUSet?
  ) throws(Fault) {
    guard let numbers = CPUSet(asked), !numbers.isEmpty, let there = try stage(field, { try look(node.cgroupVersion) }) else { return }
    let missing = numbers.subtracting(there)
    if missing.isEmpty { return }
    throw Fault(.failedPrecondition, "\(field): \"\(asked.prefix(100))\", this node has the \(what) \(there)")
  }
}
