import Core
import Linux

/// The cgroup of a shim and of what holds its pod's namespaces, with its limits.
struct ShimCgroup {
  let group: Cgroup
  let plan: SandboxPlan

  init(_ plan: SandboxPlan, in tree: CgroupTree) throws(SystemError) {
    self.plan = plan
    group = try Cgroup(plan.cgroup, in: tree)
  }

  /// Returns the directories that were not there. With them those of the pod's own cgroup where that is another: whoever makes containers there
  /// would leave it behind.
  func create() throws(SystemError) -> [String] {
    var made = try group.create()
    do throws(SystemError) {
      if let pod = plan.podCgroup, pod != "/" { made += try Cgroup(pod, in: group.tree).create() }
      if let processors = plan.shimProcessors { try set("cpuset", v1: ("cpuset.cpus", processors), v2: ("cpuset.cpus", processors)) }
      if let shares = plan.shimShares { try set("cpu", v1: ("cpu.shares", "\(shares)"), v2: ("cpu.weight", "\(Self.weight(shares))")) }
    } catch {
      Cgroup.removeEmpty(made)
      throw error
    }
    return made
  }

  private typealias Setting = (name: String, value: String)

  private func set(_ controller: String, v1: Setting, v2: Setting) throws(SystemError) {
    if let hierarchy = group.tree.hierarchies.first(where: { $0.controls(controller) }) {
      return try Files.write(v1.value, to: "\(hierarchy.mountPoint)\(group.path)/\(v1.name)", create: false)
    }
    guard group.tree.mode == .unified, let mountPoint = group.tree.hierarchies.first?.mountPoint else { return }
    let directory = mountPoint + group.path
    if !Files.exists("\(directory)/\(v2.name)") { try enable(controller, mountPoint) }
    try Files.write(v2.value, to: "\(directory)/\(v2.name)", create: false)
  }

  /// On v2 a group has the files of the controllers that all above it hand down.
  private func enable(_ controller: String, _ mountPoint: String) throws(SystemError) {
    var directory = mountPoint
    for component in group.path.split(separator: "/") {
      try Files.write("+\(controller)", to: directory + "/cgroup.subtree_control", create: false)
      directory += "/" + component
    }
  }

  /// cgroup v1's 2…262144 as v2's 1…10000 (as runtimes reckon).
  static func weight(_ shares: Int) -> Int { 1 + (min(max(shares, 2), 262_144) - 2) * 9999 / 262_142 }
}
