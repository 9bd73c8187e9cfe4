import CRIAPI
package import Linux

/// What the node and the daemon on it can give to containers. Does not change while the daemon runs.
package struct NodeFacts: Sendable, Hashable {
  package enum CgroupVersion: Sendable, Hashable {
    /// Also hybrid: the controllers are on v1.
    case v1
    case v2
  }

  package var hostname = ""
  package var cgroupVersion = CgroupVersion.v2
  package var cgroupDriver = CgroupDriver.cgroupfs
  package var availableCapabilities = Capability.all
  /// The lowest oom_score_adj the daemon may set; `nil` where it may set any.
  package var minimumOOMScore: Int?

  /// `asked`, or as low as the daemon itself where it may not go lower: the kernel would refuse the whole container.
  package func oomScore(_ asked: Int64) -> Int { max(Int(asked), minimumOOMScore ?? -1000) }

  package var hasSwapLimits = true
  package var hasHugepageLimits = true
  /// Sizes of huge pages as cgroup files are called by them, `2MB`; `nil` where the kernel does not tell.
  package var hugepageSizes: Set<String>?
  /// Controllers of cgroup v2; `nil` where they are not known.
  package var controllers: Set<String>?
  /// The OCI runtime can make a bind mount read-only with all mounts below it.
  package var hasRecursiveReadOnly = true
  /// The OCI runtime moves network devices into containers, as its `features` say.
  package var hasNetDevices = false
  /// The OCI runtime knows `linux.intelRdt.schemata`, as its `features` say.
  package var hasRDTSchemata = false
  /// A resctrl filesystem is mounted.
  package var hasResourceControl = false
  /// Files can be shown with other owners where Berth keeps them.
  package var hasUserNamespaces = true
  /// Cryptography is as FIPS 140 has it.
  package var isFIPS = false
  package var hasSELinux = false
  package var selinux = SELinuxMode.none(reason: "this node has no SELinux")
  package var hasAppArmor = false
  /// The profile that RuntimeDefault means; `nil` leaves such containers unconfined by AppArmor.
  package var defaultAppArmorProfile: String?
  /// Of a container; `nil` is unlimited.
  package var pidsLimit: Int64?
  /// Where CDI specs are, lowest priority first.
  package var cdiDirectories = ["/etc/cdi", "/var/run/cdi"]
  /// Where hooks of the operator's are, a later directory over an earlier one.
  package var hookDirectories: [String] = []
  /// Device nodes belong to a container's user and group instead of the host's owners.
  package var devicesFollowUser = false

  package var defaults = ContainerDefaults()
  /// Options of the host's cgroup2 filesystem: a mount that leaves one out would take it from the whole node.
  package var cgroupMountOptions: [String] = []

  package init() {}
}

extension NodeFacts {
  /// Its filesystem is mounted only where it was not disabled at boot.
  package static var kernelHasSELinux: Bool { Files.exists("/sys/fs/selinux/enforce") }

  /// Reads /proc and /sys.
  package static func gather() throws(SystemError) -> NodeFacts {
    let tree = try CgroupTree.detect()
    var facts = NodeFacts()
    facts.hostname = try line("/proc/sys/kernel/hostname")
    facts.cgroupVersion = tree.mode == .unified ? .v2 : .v1
    facts.availableCapabilities = try capabilities()
    if !facts.availableCapabilities.contains(.sysResource) { facts.minimumOOMScore = Int(try line("/proc/self/oom_score_adj")) }
    facts.hasSwapLimits = try swapLimits(tree)
    facts.hasHugepageLimits = mountPoint(of: "hugetlb", tree) != nil
    facts.hugepageSizes = try hugepageSizes("/sys/kernel/mm/hugepages")
    facts.controllers = try controllers(tree)
    facts.hasResourceControl = try MountInfo.read().contains { $0.type == "resctrl" }
    facts.cgroupMountOptions = try cgroupMountOptions(tree)
    let fips = "/proc/sys/crypto/fips_enabled"
    facts.isFIPS = Files.exists(fips) ? try line(fips) == "1" : Files.exists("/etc/system-fips")
    facts.hasSELinux = kernelHasSELinux
    facts.hasAppArmor = try hasAppArmor()
    return facts
  }

  /// Directories like `hugepages-2048kB`; called as the kernel calls them in cgroups, by the largest unit (mm/hugetlb_cgroup.c, mem_fmt).
  static func hugepageSizes(_ directory: String) throws(SystemError) -> Set<String>? {
    guard Files.exists(directory) else { return nil }
    let sizes = try Files.list(directory).compactMap { name in
      name.hasPrefix("hugepages-") && name.hasSuffix("kB") ? Int(name.dropFirst("hugepages-".count).dropLast(2)) : nil
    }
    return Set(sizes.map { $0 >= 1 << 20 ? "\($0 >> 20)GB" : $0 >= 1 << 10 ? "\($0 >> 10)MB" : "\($0)KB" })
  }

  private static func controllers(_ tree: CgroupTree) throws(SystemError) -> Set<String>? {
    guard tree.mode == .unified, let root = tree.hierarchies.first?.mountPoint else { return nil }
    return Set(try line(root + "/cgroup.controllers").split(separator: " ").map(String.init))
  }

  /// Only those a mount may say; others belong to every filesystem (Documentation/admin-guide/cgroup-v2.rst, "Mounting").
  private static func cgroupMountOptions(_ tree: CgroupTree) throws(SystemError) -> [String] {
    guard tree.mode == .unified, let root = tree.hierarchies.first?.mountPoint else { return [] }
    let known: Set = [
      "nsdelegate", "favordynmods", "memory_localevents", "memory_recursiveprot", "memory_hugetlb_accounting", "pids_localevents",
    ]
    return try MountInfo.read().last { $0.mountPoint == root }?.superOptions.filter(known.contains) ?? []
  }

  private static func line(_ path: String) throws(SystemError) -> String {
    String(decoding: try Files.read(path).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
  }

  /// The kernel has it, and it is on.
  package static func hasAppArmor() throws(SystemError) -> Bool {
    let parameter = "/sys/module/apparmor/parameters/enabled"
    return Files.exists(parameter) ? try line(parameter) == "Y" : false
  }

  /// Bounded by what the daemon may still pass on: the bounding set.
  private static func capabilities() throws(SystemError) -> Set<Capability> {
    var set = Capability.all
    for line in String(decoding: try Files.read("/proc/self/status"), as: UTF8.self).split(separator: "\n") {
      guard line.hasPrefix("CapBnd:") || line.hasPrefix("CapPrm:"), let mask = UInt64(line.drop { $0 != "\t" }.dropFirst(), radix: 16)
      else { continue }
      set.formIntersection(Capability.set(mask: mask))
    }
    return set
  }

  /// Where containers are held by a controller: its v1 hierarchy, or a v2 one that stands alone and has it.
  static func mountPoint(of controller: String, _ tree: CgroupTree) -> String? {
    let hierarchy = tree.hierarchies.first { hierarchy in
      if tree.mode != .unified { return hierarchy.controls(controller) }
      let controllers = (try? line(hierarchy.mountPoint + "/cgroup.controllers")) ?? ""
      return controllers.split(separator: " ").contains { $0 == controller }
    }
    return hierarchy?.mountPoint
  }

  /// A kernel counts swap where the file for it is there; on v2 the root has none, a cgroup below it has. Where none is below it yet, nothing
  /// speaks against it: v2 counts swap unless the kernel was told not to.
  static func swapLimits(_ tree: CgroupTree) throws(SystemError) -> Bool {
    guard let memory = mountPoint(of: "memory", tree) else { return false }
    if tree.mode != .unified { return Files.exists(memory + "/memory.memsw.limit_in_bytes") }
    let limited = try Files.list(memory).filter { Files.exists("\(memory)/\($0)/memory.max") }
    return limited.isEmpty || limited.contains { Files.exists("\(memory)/\($0)/memory.swap.max") }
  }
}

extension NodeFacts {
  /// Where on the host every container's spec may reach by the operator's settings; what is not absolute is no path.
  package var hostPaths: [String] { defaults.devices.map(\.hostPath) + hookDirectories + [SeccompRequest.path(defaults.unsetSeccomp)] }
}
