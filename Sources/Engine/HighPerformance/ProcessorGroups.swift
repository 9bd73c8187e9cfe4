import Core
import Linux

/// The part of a tuning that is in cgroups: of a container that is created and not yet started.
struct ProcessorGroups {
  let tree: CgroupTree
  /// The container's, relative to each hierarchy's root.
  let group: String

  private var pod: String { Files.parent(of: group) }

  /// FAILED_PRECONDITION where the kernel cannot do it.
  func apply(_ tuning: ProcessorTuning) throws {
    if let shared = tuning.shared.flatMap({ CPUSet($0) }) { try raiseQuota(by: shared.count) }
    if tuning.hasNoQuota { for path in [pod, group] where path != "/" { try removeQuota(of: path) } }
    if tuning.keepsThreads { try keepThreads(on: CPUSet(tuning.processors) ?? CPUSet(), isSharing: tuning.shared != nil) }
  }

  /// Takes back what is not the container's own; its group is gone, or goes.
  func restore(_ tuning: ProcessorTuning) {
    guard tuning.keepsThreads, let root = unified, let processors = CPUSet(tuning.processors) else { return }
    for directory in ancestors(root).reversed() { try? change(directory + "/cpuset.cpus.exclusive") { $0.subtracting(processors) } }
  }

  private var unified: String? { tree.mode == .unified ? tree.hierarchies.first?.mountPoint : nil }

  private func directory(_ controller: String, _ path: String) throws(Fault) -> String {
    let hierarchy = tree.hierarchies.first { $0.controls(controller) }
    guard let root = hierarchy?.mountPoint ?? unified else { throw Fault(.failedPrecondition, "this node has no \(controller) controller") }
    return root + path
  }

  private func removeQuota(of path: String) throws {
    let directory = try directory("cpu", path)
    if unified != nil {
      try Files.write("max", to: directory + "/cpu.max", create: false)
    } else {
      try Files.write("-1", to: directory + "/cpu.cfs_quota_us", create: false)
    }
  }

  /// The pod's quota, where it has one, has to hold what it shares with others, too. The container's own is in its spec.
  private func raiseQuota(by processors: Int) throws {
    guard pod != "/" else { return }
    let directory = try directory("cpu", pod)
    if unified != nil {
      let words = try text(directory + "/cpu.max").split(separator: " ")
      guard words.count == 2, let quota = Int(words[0]), let period = Int(words[1]) else { return }
      try Files.write("\(quota + processors * period) \(period)", to: directory + "/cpu.max", create: false)
    } else {
      guard let quota = Int(try text(directory + "/cpu.cfs_quota_us")), quota > 0 else { return }
      let period = Int(try text(directory + "/cpu.cfs_period_us")) ?? 100_000
      try Files.write("\(quota + processors * period)", to: directory + "/cpu.cfs_quota_us", create: false)
    }
  }

  /// v1: a flag of the group. v2: a partition of its own, for which all above it have to set the processors aside (cgroup-v2.rst, "Cpuset").
  private func keepThreads(on processors: CPUSet, isSharing: Bool) throws {
    guard let root = unified else {
      return try Files.write("0", to: try directory("cpuset", group) + "/cpuset.sched_load_balance", create: false)
    }
    if isSharing { throw Fault(.failedPrecondition, "on cgroup v2 a container cannot both share processors and have its own not balanced") }
    let groups = ancestors(root) + [root + group]
    guard groups.allSatisfy({ Files.exists($0 + "/cpuset.cpus.exclusive") }) else {
      throw Fault(.failedPrecondition, "processors cannot be set aside: cpuset.cpus.exclusive needs Linux 6.7 and the cpuset controller")
    }
    for directory in groups { try change(directory + "/cpuset.cpus.exclusive") { $0.union(processors) } }
    try Files.write("isolated", to: "\(root)\(group)/cpuset.cpus.partition", create: false)
  }

  /// The groups above the container's, from the top.
  private func ancestors(_ root: String) -> [String] {
    var directories: [String] = []
    for component in pod.split(separator: "/") { directories.append((directories.last ?? root) + "/" + component) }
    return directories
  }

  private func change(_ path: String, _ change: (CPUSet) -> CPUSet) throws {
    let now = CPUSet(try text(path)) ?? CPUSet()
    let next = change(now)
    // The kernel takes no empty write for an empty set.
    if next != now { try Files.write(next.isEmpty ? "\n" : "\(next)", to: path, create: false) }
  }

  private func text(_ path: String) throws(SystemError) -> String {
    String(decoding: try Files.read(path).prefix { $0 != 0x0A }, as: UTF8.self)
  }
}
