import Core
import Linux

/// The part of a tuning that is in cgroups: of a container that is created and not yet started.
struct ProcessorGroups {
  let tree: CgroupTree
  /// The container's, relative to each hierarchy's root.
  let group: String

  /// Microseconds of processor time in each period.
  struct Quota: Equatable {
    var quota: Int
    var period: Int

    /// Of one processor, whole ones, and never less than what holds.
    var percentage: Int { max(1, (quota * 100 + max(1, period) - 1) / max(1, period)) }
  }

  private var pod: String { Files.parent(of: group) }

  /// The result is those groups whose quotas were changed. FAILED_PRECONDITION where the kernel cannot do it.
  func apply(_ tuning: ProcessorTuning) throws -> [String] {
    let quota = pod == "/" ? nil : try? text(try quotaFile(of: pod))
    do { return try change(tuning) } catch {
      // The container's own group goes with it; the pod's stays.
      if let quota { try? Files.write(quota, to: try quotaFile(of: pod), create: false) }
      throw error
    }
  }

  private func quotaFile(of path: String) throws(Fault) -> String {
    try directory("cpu", path) + (unified == nil ? "/cpu.cfs_quota_us" : "/cpu.max")
  }

  private func change(_ tuning: ProcessorTuning) throws -> [String] {
    let own = CPUSet(tuning.processors) ?? CPUSet()
    var changed = try tuning.shared.flatMap({ CPUSet($0) }).map { try raiseQuota(by: $0.count) } ?? []
    if tuning.shared != nil, let root = unified { try makeOwnGroup(of: own, root) }
    if tuning.hasNoQuota {
      changed = [pod, group].filter { $0 != "/" }
      for path in changed { try removeQuota(of: path) }
    }
    if tuning.keepsThreads { try keepThreads(on: own, isSharing: tuning.shared != nil) }
    return changed
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
    try Files.write(unified == nil ? "-1" : "max", to: try quotaFile(of: path), create: false)
  }

  /// Nil for none.
  func quota(of path: String) throws -> Quota? {
    let now = try text(try quotaFile(of: path))
    if unified != nil {
      let words = now.split(separator: " ")
      guard words.count == 2, let quota = Int(words[0]), let period = Int(words[1]) else { return nil }
      return Quota(quota: quota, period: period)
    }
    guard let quota = Int(now), quota > 0 else { return nil }
    return Quota(quota: quota, period: Int(try text(try directory("cpu", path) + "/cpu.cfs_period_us")) ?? 100_000)
  }

  /// The pod's quota, where it has one, has to hold what it shares with others, too. The container's own is in its spec.
  private func raiseQuota(by processors: Int) throws -> [String] {
    guard pod != "/", let now = try quota(of: pod) else { return [] }
    let quota = now.quota + processors * now.period
    try Files.write(unified == nil ? "\(quota)" : "\(quota) \(now.period)", to: try quotaFile(of: pod), create: false)
    return [pod]
  }

  /// v2: who shares processors finds a group below its own (CRI-O's name for it) that has none but its own, where it moves the threads that want them.
  private func makeOwnGroup(of processors: CPUSet, _ root: String) throws {
    try Files.write("+cpu +cpuset", to: root + group + "/cgroup.subtree_control", create: false)
    try Files.makeDirectories(root + ownGroup)
    try Files.write("\(processors)", to: root + ownGroup + "/cpuset.cpus", create: false)
  }

  private var ownGroup: String { group + "/cgroup-child" }

  /// v1: a flag of the group. v2: a partition of its own, for which all above it have to set the processors aside (cgroup-v2.rst, "Cpuset").
  private func keepThreads(on processors: CPUSet, isSharing: Bool) throws {
    guard let root = unified else {
      return try Files.write("0", to: try directory("cpuset", group) + "/cpuset.sched_load_balance", create: false)
    }
    let groups = ancestors(root) + [root + group] + (isSharing ? [root + ownGroup] : [])
    guard groups.allSatisfy({ Files.exists($0 + "/cpuset.cpus.exclusive") }) else {
      throw Fault(.failedPrecondition, "processors cannot be set aside: cpuset.cpus.exclusive needs Linux 6.7 and the cpuset controller")
    }
    for directory in groups { try change(directory + "/cpuset.cpus.exclusive") { $0.union(processors) } }
    try Files.write("isolated", to: groups[groups.count - 1] + "/cpuset.cpus.partition", create: false)
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
