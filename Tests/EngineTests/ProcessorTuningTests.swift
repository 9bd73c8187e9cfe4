import CRIAPI
import Core
import Linux
import Logging
import Spec
import Support
import SwiftProtobuf
import Testing

@testable import Engine

/// A node of four processors in two cores, recorded in files.
private struct RecordedNode {
  let root: String
  let mode: CgroupTree.Hierarchy.Kind

  init(_ root: String, _ mode: CgroupTree.Hierarchy.Kind) throws {
    (self.root, self.mode) = (root, mode)
    for processor in 0..<4 {
      let siblings = processor < 2 ? "0-1" : "2-3"
      try write("sys/devices/system/cpu/cpu\(processor)/power/pm_qos_resume_latency_us", "0")
      try write("sys/devices/system/cpu/cpu\(processor)/cpufreq/scaling_governor", "powersave")
      try write("sys/devices/system/cpu/cpu\(processor)/cpufreq/scaling_available_governors", "performance powersave")
      try write("sys/devices/system/cpu/cpu\(processor)/topology/thread_siblings_list", siblings)
    }
    try write("proc/irq/default_smp_affinity", "f")
    try write("etc/irqbalance", "# irqbalance\nIRQBALANCE_BANNED_CPUS=0\nIRQBALANCE_ARGS=\n")
    for group in ["kubepods", "kubepods/pod1", "kubepods/pod1/c1"] {
      switch mode {
      case .legacy:
        try write("cgroup/\(group)/cpu.cfs_quota_us", "200000")
        try write("cgroup/\(group)/cpu.cfs_period_us", "100000")
        try write("cgroup/\(group)/cpuset.sched_load_balance", "1")
      case .unified:
        try write("cgroup/\(group)/cpu.max", "200000 100000")
        try write("cgroup/\(group)/cpuset.cpus.exclusive", "")
        try write("cgroup/\(group)/cpuset.cpus.partition", "member")
        try write("cgroup/\(group)/cgroup.subtree_control", "")
      }
    }
    // A kernel makes a group's files with it; this tree is none.
    for file in ["cpuset.cpus", "cpuset.cpus.exclusive", "cpuset.cpus.partition"] where mode == .unified {
      try write("cgroup/kubepods/pod1/c1/cgroup-child/\(file)", "")
    }
  }

  func write(_ path: String, _ text: String) throws {
    try Files.makeDirectories(Files.parent(of: "\(root)/\(path)"))
    try Files.write(text + "\n", to: "\(root)/\(path)")
  }

  /// A kernel's file keeps only what was written last; a real one here may keep the end of what was there before.
  func text(_ path: String) throws -> String {
    String(decoding: try Files.read("\(root)/\(path)").prefix { $0 != 0x0A }, as: UTF8.self)
  }

  func setting(_ name: String) throws -> [String] { try (0..<4).map { try text("sys/devices/system/cpu/cpu\($0)/\(name)") } }

  var tree: CgroupTree { CgroupTree(hierarchies: [.init(mountPoint: root + "/cgroup", kind: mode)]) }

  var keeper: ProcessorKeeper {
    ProcessorKeeper(
      directory: root + "/state", files: ProcessorFiles(root: root), tree: tree,
      irqbalance: Irqbalance(configuration: root + "/etc/irqbalance", directories: [root + "/bin"]),
      systemd: SystemdQuotas(directories: [root + "/bin"]),
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  }
}

@Suite struct ProcessorTuningTests {
  private static let group = "/kubepods/pod1/c1"
  private static let legacy = CgroupTree.Hierarchy.Kind.legacy(["cpu", "cpuset"])

  private func with(_ kind: CgroupTree.Hierarchy.Kind = legacy, _ body: (RecordedNode) async throws -> Void) async throws {
    try await withScratch("processors") { try await body(RecordedNode($0, kind)) }
  }

  private func tuning(
    _ annotations: [String: String], shared: CPUSet? = nil, _ change: (inout Runtime_V1_PodSandboxConfig) -> Void = { _ in }
  )
    throws -> ProcessorTuning?
  {
    var pod = Runtime_V1_PodSandboxConfig()
    (pod.annotations, pod.linux.cgroupParent) = (annotations, "/kubepods/pod1")
    change(&pod)
    let resources = Runtime_V1_LinuxContainerResources.with { ($0.cpusetCpus, $0.cpuShares) = ("2-3", 2048) }
    return try ProcessorTuning(
      resources, of: "c", shared: shared, in: pod, AllowedAnnotations(ExperimentalAnnotation.allCases.map(\.rawValue)))
  }

  private func tuned(_ annotations: [String: String], shared: CPUSet? = nil) throws -> ProcessorTuning {
    try #require(try tuning(annotations, shared: shared))
  }

  @Test func `how processors sleep and run is set for a container's own, and put back when it has ended`() async throws {
    try await with { node in
      let keeper = node.keeper
      let tuning = try tuned(["cpu-c-states.crio.io": "max_latency:10", "cpu-freq-governor.crio.io": "performance"])
      try await keeper.apply(tuning, to: "c1", Self.group)
      #expect(try node.setting("power/pm_qos_resume_latency_us").map { $0.prefix(2) } == ["0", "0", "10", "10"])
      #expect(try node.setting("cpufreq/scaling_governor").map { $0.prefix(9) } == ["powersave", "powersave", "performan", "performan"])
      #expect(keeper.isTuned("c1"))
      // A daemon that was killed meanwhile, and a container that is started again.
      try await node.keeper.apply(tuning, to: "c1", Self.group)
      await node.keeper.restore(except: ["c1"])
      #expect(keeper.isTuned("c1"))
      await node.keeper.restore(except: [])
      #expect(try node.setting("power/pm_qos_resume_latency_us").map { $0.prefix(1) } == ["0", "0", "0", "0"])
      #expect(try node.setting("cpufreq/scaling_governor").map { $0.prefix(9) } == ["powersave", "powersave", "powersave", "powersave"])
      #expect(try Files.list(node.root + "/state") == [])
    }
  }

  @Test func `interrupts go elsewhere, and irqbalance is told`() async throws {
    try await with { node in
      try node.write("bin/irqbalance", "#!/bin/sh\necho \"$IRQBALANCE_BANNED_CPUS $*\" >> \(node.root)/told")
      try Files.setMode(node.root + "/bin/irqbalance", 0o755)
      try await node.keeper.apply(try tuned(["irq-load-balancing.crio.io": "disable"]), to: "c1", Self.group)
      #expect(try node.text("proc/irq/default_smp_affinity") == "3")
      #expect(try node.text("told") == "c --oneshot")
      let written = String(decoding: try Files.read(node.root + "/etc/irqbalance"), as: UTF8.self)
      #expect(written.hasPrefix("# irqbalance\nIRQBALANCE_BANNED_CPUS=\"c\"\nIRQBALANCE_ARGS=\n"))
      await node.keeper.restore("c1")
      #expect(try node.text("proc/irq/default_smp_affinity") == "f")
      // The second and third are one core.
      try await node.keeper.apply(try tuned(["irq-load-balancing.crio.io": "housekeeping"]), to: "c1", Self.group)
      #expect(try node.text("proc/irq/default_smp_affinity") == "f")
    }
  }

  @Test func `a pod may speak of one container alone`() throws {
    let own = try tuned(["cpu-quota.crio.io/c": "disable", "irq-load-balancing.crio.io/c": "housekeeping"])
    #expect(own.hasNoQuota && own.interrupts == .housekeeping && !own.keepsThreads)
    #expect(try tuning(["cpu-quota.crio.io/other": "disable", "cpu-load-balancing.crio.io/other": "disable"]) == nil)
    #expect(try tuning(["cpu-quota.crio.io": "disable", "cpu-quota.crio.io/c": "enable"]) == nil)
    #expect(try tuned(["cpu-c-states.crio.io": "enable"]).latency == "0")
    #expect(try tuned(["cpu-c-states.crio.io": "disable"]).latency == "n/a")
  }

  @Test func `a quota is taken from pod and container, and threads are not moved`() async throws {
    let wanted = ["cpu-quota.crio.io": "disable", "cpu-load-balancing.crio.io": "true"]
    try await with { node in
      try await node.keeper.apply(try tuned(wanted), to: "c1", Self.group)
      for group in ["kubepods/pod1", "kubepods/pod1/c1"] { #expect(try node.text("cgroup/\(group)/cpu.cfs_quota_us").hasPrefix("-1")) }
      #expect(try node.text("cgroup/kubepods/cpu.cfs_quota_us") == "200000")
      #expect(try node.text("cgroup/kubepods/pod1/c1/cpuset.sched_load_balance") == "0")
    }
    try await with(.unified) { node in
      try await node.keeper.apply(try tuned(wanted), to: "c1", Self.group)
      #expect(try node.text("cgroup/kubepods/pod1/cpu.max").hasPrefix("max"))
      for group in ["kubepods", "kubepods/pod1", "kubepods/pod1/c1"] {
        #expect(try node.text("cgroup/\(group)/cpuset.cpus.exclusive").hasPrefix("2-3"))
      }
      #expect(try node.text("cgroup/kubepods/pod1/c1/cpuset.cpus.partition").hasPrefix("isolated"))
      await node.keeper.restore("c1")
      #expect(try node.text("cgroup/kubepods/cpuset.cpus.exclusive") == "" && node.text("cgroup/kubepods/pod1/cpuset.cpus.exclusive") == "")
    }
  }

  @Test func `a pod's quota holds what a container shares, too`() async throws {
    for kind in [Self.legacy, .unified] {
      try await with(kind) { node in
        try await node.keeper.apply(try tuned([:], shared: CPUSet("0-1")), to: "c1", Self.group)
        let quota = try node.text("cgroup/kubepods/pod1/" + (kind == .unified ? "cpu.max" : "cpu.cfs_quota_us"))
        #expect(quota.hasPrefix("400000"))
      }
    }
  }

  @Test func `on v2 who shares processors finds a group with its own, which alone is not balanced`() async throws {
    try await with(.unified) { node in
      let both = try tuned(["cpu-load-balancing.crio.io": "disable"], shared: CPUSet("0-1"))
      try await node.keeper.apply(both, to: "c1", Self.group)
      #expect(try node.text("cgroup/kubepods/pod1/c1/cgroup.subtree_control") == "+cpu +cpuset")
      let child = "cgroup/kubepods/pod1/c1/cgroup-child"
      for group in ["cgroup/kubepods", "cgroup/kubepods/pod1", "cgroup/kubepods/pod1/c1", child] {
        #expect(try node.text(group + "/cpuset.cpus.exclusive") == "2-3")
      }
      #expect(try node.text(child + "/cpuset.cpus") == "2-3" && node.text(child + "/cpuset.cpus.partition") == "isolated")
      #expect(try node.text("cgroup/kubepods/pod1/c1/cpuset.cpus.partition") == "member")
      await node.keeper.restore("c1")
      #expect(try node.text("cgroup/kubepods/pod1/cpuset.cpus.exclusive") == "")
    }
  }

  @Test func `systemd is told of quotas of its units, and who cannot tell it leaves all as it was`() async throws {
    let group = "/kubepods.slice/kubepods-pod1.slice/berth-c1.scope"
    try await with(.unified) { node in
      for path in ["", "/kubepods-pod1.slice", "/kubepods-pod1.slice/berth-c1.scope"] {
        try node.write("cgroup/kubepods.slice\(path)/cpu.max", "150000 100000")
        try node.write("cgroup/kubepods.slice\(path)/cgroup.subtree_control", "")
      }
      try node.write("cgroup\(group)/cgroup-child/cpuset.cpus", "")
      let unlimited = try tuned(["cpu-quota.crio.io": "disable", "cpu-c-states.crio.io": "enable"])
      let error = await #expect(throws: Fault.self) { try await node.keeper.apply(unlimited, to: "c1", group) }
      #expect(error?.code == .failedPrecondition && error?.message == "systemd's CPUQuota of kubepods-pod1.slice: there is no systemctl")
      #expect(!node.keeper.isTuned("c1"))

      try node.write("bin/systemctl", "#!/bin/sh\necho \"$*\" >> \(node.root)/told")
      try Files.setMode(node.root + "/bin/systemctl", 0o755)
      try await node.keeper.apply(unlimited, to: "c1", group)
      await node.keeper.restore("c1")
      try node.write("cgroup/kubepods.slice/kubepods-pod1.slice/cpu.max", "150000 100000")
      try await node.keeper.apply(try tuned([:], shared: CPUSet("0-1")), to: "c1", group)
      let told = String(decoding: try Files.read(node.root + "/told"), as: UTF8.self).split(separator: "\n")
      #expect(
        told == [
          "set-property --runtime kubepods-pod1.slice CPUQuota=", "set-property --runtime berth-c1.scope CPUQuota=",
          "set-property --runtime kubepods-pod1.slice CPUQuota=350% CPUQuotaPeriodSec=100000us",
        ])
    }
  }

  @Test func `systemd, which writes what it is told, is never told less than what holds`() {
    let told = [(150_000, 100_000), (150_001, 100_000), (1, 100_000), (12_345, 10_000)]
    #expect(told.map { ProcessorGroups.Quota(quota: $0.0, period: $0.1).percentage } == [150, 151, 1, 124])
  }

  @Test func `housekeeping is done by the first of a container's processors and those of its core`() throws {
    try withScratch("processors") { root in
      let node = try RecordedNode(root, Self.legacy)
      let files = ProcessorFiles(root: node.root)
      #expect(files.housekeeping(of: CPUSet("1-3") ?? CPUSet()) == CPUSet("1"))
      #expect(files.housekeeping(of: CPUSet("2-3") ?? CPUSet()) == CPUSet("2-3") && files.housekeeping(of: CPUSet("7")!) == CPUSet("7"))
      #expect(files.housekeeping(of: CPUSet()).isEmpty)
    }
  }

  @Test func `what a node cannot do leaves it as it was`() async throws {
    try await with { node in
      let error = await #expect(throws: Fault.self) {
        try await node.keeper.apply(
          try tuned(["cpu-freq-governor.crio.io": "schedutil", "cpu-c-states.crio.io": "disable"]), to: "c1", Self.group)
      }
      #expect(error?.code == .failedPrecondition && error?.message == "processor 2 has no frequency governor \"schedutil\"")
      #expect(try node.setting("power/pm_qos_resume_latency_us") == ["0", "0", "0", "0"])
      try Files.remove(node.root + "/sys/devices/system/cpu/cpu3/power/pm_qos_resume_latency_us")
      await #expect(throws: Fault.self) {
        try await node.keeper.apply(try tuned(["cpu-c-states.crio.io": "enable"]), to: "c1", Self.group)
      }
      #expect(try Files.list(node.root + "/state") == [])
    }
  }

  @Test func `what fails in the pod's cgroup after its quota was changed gives that back, and no interrupts`() async throws {
    try await with(.unified) { node in
      try Files.remove(node.root + "/cgroup/kubepods/pod1/c1/cpuset.cpus.exclusive")
      try node.write("proc/irq/default_smp_affinity", "3")
      let wanted = ["cpu-load-balancing.crio.io": "disable", "irq-load-balancing.crio.io": "disable"]
      let error = await #expect(throws: Fault.self) {
        try await node.keeper.apply(try tuned(wanted, shared: CPUSet("0-1")), to: "c1", Self.group)
      }
      #expect(error?.message.contains("cpuset.cpus.exclusive") == true)
      #expect(try node.text("cgroup/kubepods/pod1/cpu.max") == "200000 100000")
    }
    try await with { node in
      try node.write("proc/irq/default_smp_affinity", "3")
      await #expect(throws: Fault.self) {
        try await node.keeper.apply(
          try tuned(["cpu-freq-governor.crio.io": "schedutil", "irq-load-balancing.crio.io": "disable"]), to: "c1", Self.group)
      }
      #expect(try node.text("proc/irq/default_smp_affinity") == "3")
    }
  }

  @Test func `only guaranteed pods with whole processors of their own are meant`() throws {
    let wanted = ["cpu-quota.crio.io": "disable"]
    #expect(try tuning(wanted) != nil && tuning([:]) == nil && tuning(["cpu-quota.crio.io": "enable"]) == nil)
    #expect(try tuning(wanted) { $0.linux.cgroupParent = "/kubepods/burstable/pod1" } == nil)
    #expect(try tuning(wanted) { $0.linux.cgroupParent = "kubepods-besteffort-pod1.slice" } == nil)
    var pod = Runtime_V1_PodSandboxConfig()
    pod.annotations = wanted
    let all = try AllowedAnnotations(["cpu-quota.crio.io"])
    for (processors, shares) in [("", Int64(1024)), ("2", 1000)] {
      let resources = Runtime_V1_LinuxContainerResources.with { ($0.cpusetCpus, $0.cpuShares) = (processors, shares) }
      #expect(try ProcessorTuning(resources, of: "c", shared: nil, in: pod, all) == nil)
    }
    let whole = Runtime_V1_LinuxContainerResources.with { ($0.cpusetCpus, $0.cpuShares) = ("2", 1024) }
    #expect(try ProcessorTuning(whole, of: "c", shared: nil, in: pod, all)?.hasNoQuota == true)
    #expect(try ProcessorTuning(whole, of: "c", shared: nil, in: pod, AllowedAnnotations()) == nil)
  }

  @Test(arguments: [
    ("cpu-quota.crio.io", "off"), ("irq-load-balancing.crio.io", ""), ("cpu-c-states.crio.io", "max_latency:0"),
    ("cpu-c-states.crio.io", "deep"), ("cpu-freq-governor.crio.io", "../x"), ("cpu-load-balancing.crio.io", "housekeeping"),
  ])
  func `a value that means nothing is an error that names the annotation`(_ name: String, _ value: String) throws {
    let error = try #require(throws: Fault.self) { try tuning([name: value]) }
    #expect(error.code == .invalidArgument && error.message.contains(name), "\(error)")
  }

  @Test func `a mask of processors keeps its form`() throws {
    var mask = try #require(ProcessorMask("00000000,0000ffff"))
    mask.set(try #require(CPUSet("4-7,32,9999")), false)
    #expect("\(mask)" == "00000000,0000ff0f")
    mask.set(try #require(CPUSet("33")), true)
    #expect("\(mask)" == "00000002,0000ff0f" && "\(mask.complement)" == "fffffffd,ffff00f0")
    #expect(ProcessorMask("") == nil && ProcessorMask("xyz") == nil && ProcessorMask("0")?.isEmpty == true)
  }
}
