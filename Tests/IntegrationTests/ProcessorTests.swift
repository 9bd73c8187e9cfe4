import CRIAPI
import Core
import FoundationEssentials
import GRPC
import Linux
import SwiftProtobuf
import Testing

/// Which processors pods, their shims and their probes use beyond what the kubelet says.
@Suite(.serialized) struct ProcessorTests {
  private static let shims = "\(Node.cgroup)/shims"

  private func file(_ controller: String, _ path: String) throws -> String {
    let tree = try CgroupTree.detect()
    let root = tree.hierarchies.first { $0.controls(controller) }?.mountPoint ?? tree.hierarchies.first?.mountPoint ?? ""
    return String(decoding: try Files.read(root + path), as: UTF8.self)
  }

  /// As v1 has them, or as v2 counts them.
  private func expectShares(_ shares: Int, weight: Int, of group: String) throws {
    if try CgroupTree.detect().mode == .unified {
      #expect(try file("cpu", group + "/cpu.weight") == "\(weight)\n")
    } else {
      #expect(try file("cpu", group + "/cpu.shares") == "\(shares)\n")
    }
  }

  private func field(_ name: String, of process: Int32) throws -> Substring? {
    String(decoding: try Files.read("/proc/\(process)/status"), as: UTF8.self).split(separator: "\n").first { $0.hasPrefix(name + ":\t") }?
      .dropFirst(name.utf8.count + 2)
  }

  @Test func `shims live where the operator wants them, on their processors and with their weight`() async throws {
    let settings = """
      [shim]
      cgroup = "\(Self.shims)"
      cpuset = "0"
      cpu_shares = 77
      oom_score_adj = 100
      [runtimes.runc]
      monitor_env = ["BERTH_TEST=yes", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"]
      """
    try await Node.with(settings: settings) { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("placed"))
      let holder = try await node.holderID(of: pod)
      let shim = try node.shimID(of: pod)
      for process in [shim, holder] {
        let groups = String(decoding: try Files.read("/proc/\(process)/cgroup"), as: UTF8.self)
        #expect(groups.split(separator: "\n").contains { $0.hasSuffix(":\(Self.shims)/\(pod)") }, "\(groups)")
        #expect(try field("Cpus_allowed_list", of: process) == "0")
      }
      let environment = try Files.read("/proc/\(shim)/environ").split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
      #expect(environment.contains("BERTH_TEST=yes") && environment.first { $0.hasPrefix("PATH=") } == "PATH=/usr/sbin:/usr/bin:/sbin:/bin")
      try expectShares(77, weight: 3, of: "\(Self.shims)/\(pod)")
      #expect(String(decoding: try Files.read("/proc/\(shim)/oom_score_adj"), as: UTF8.self) == "100\n")
      let own = try await node.output("grep Cpus_allowed_list /proc/self/status; grep -c shims /proc/self/cgroup || true", in: pod)
      let all = try #require(try field("Cpus_allowed_list", of: Process.id))
      #expect(own == "Cpus_allowed_list:\t\(all)\n0\n", "\(own)")
      let request = Runtime_V1_PodSandboxStatsRequest.with { $0.podSandboxID = pod }
      let stats = try await node.runtime("PodSandboxStats", request, returning: Runtime_V1_PodSandboxStatsResponse.self).stats
      #expect(stats.linux.hasCpu && stats.linux.hasMemory)
      try await node.restart()
      #expect(try await node.output("echo again", in: pod) == "again\n")
    }
  }

  @Test func `a workload's containers and their probes keep to its processors`() async throws {
    let settings = """
      [containers]
      min_injected_gomaxprocs = 3
      [runtimes.bound]
      path = "/usr/sbin/runc"
      exec_cpu_affinity = "first"
      [workloads.management]
      activation_annotation = "example/management"
      annotation_prefix = "resources.example"
      [workloads.management.resources]
      cpuset = "1"
      cpushares = 33
      """
    try await Node.with(settings: settings) { node in
      try await node.importBusybox()
      let pod = try await node.run(
        try node.podConfig("managed") {
          $0.annotations = ["example/management": "", "resources.example/free": #"{"cpuset": "0-1"}"#]
          $0.linux.cgroupParent += "/burstable"
        }, "bound")
      let ask = "grep Cpus_allowed_list /proc/self/status; echo $GOMAXPROCS"
      #expect(try await node.output(ask, in: pod) == "Cpus_allowed_list:\t1\n3\n")
      let free = try await node.launch("free", ["sleep", "1000"], in: pod)
      try expectShares(33, weight: 2, of: "\(Node.cgroup)/burstable/\(free)")
      #expect(try file("cpuset", "\(Node.cgroup)/burstable/\(free)/cpuset.cpus") == "0-1\n")
      // The binding comes right after the start.
      let bound = "until grep -q 'Cpus_allowed_list:.0$' /proc/self/status; do :; done; echo bound"
      #expect(try await node.exec(free, ["sh", "-c", bound]).stdout == .init("bound\n".utf8))
      try await node.remove(container: free)
      await expectFault(.invalidArgument, "resources.example/broken") {
        let broken = try await node.run(
          try node.podConfig("broken") { $0.annotations = ["example/management": "", "resources.example/broken": "{"] })
        _ = try await node.create(node.containerConfig("broken", ["true"]), in: broken)
      }
    }
  }

  @Test func `a container's own processors are as its pod's annotations want them, and others may be shared`() async throws {
    let allowed = ["cpu-quota", "cpu-load-balancing", "cpu-shared", "irq-load-balancing", "cgroup2-mount-hierarchy-rw"]
    let names = allowed.map { "\"\($0).crio.io\"" }.joined(separator: ",")
    let settings = """
      [pods]
      shared_cpuset = "0"
      [runtimes.tuned]
      path = "/usr/sbin/runc"
      allowed_annotations = [\(names)]
      """
    try await Node.with(settings: settings) { node in
      try await node.importBusybox()
      func pod(_ name: String, _ annotations: [String: String], _ handler: String = "tuned") async throws -> String {
        try await node.run(
          try node.podConfig(name) {
            $0.annotations = annotations
            $0.linux.cgroupParent += "/\(name)"
          }, handler)
      }
      func launch(_ pod: String) async throws -> String {
        try await node.launch("main", ["sh", "-c", "env; exec sleep 1000"], in: pod) {
          $0.linux.resources = .with { ($0.cpusetCpus, $0.cpuShares, $0.cpuQuota, $0.cpuPeriod) = ("1", 1024, 100_000, 100_000) }
        }
      }
      let isUnified = try CgroupTree.detect().mode == .unified
      let quotaFile = isUnified ? "cpu.max" : "cpu.cfs_quota_us"
      let quiet = try await launch(try await pod("quiet", ["cpu-quota.crio.io": "disable"]))
      #expect(try file("cpu", "\(Node.cgroup)/quiet/\(quiet)/\(quotaFile)").hasPrefix(isUnified ? "max" : "-1"))
      let ignored = try await launch(try await pod("ignored", ["cpu-quota.crio.io": "disable"], ""))
      #expect(try file("cpu", "\(Node.cgroup)/ignored/\(ignored)/\(quotaFile)").hasPrefix("100000"))
      let housed = try await launch(try await pod("housed", ["irq-load-balancing.crio.io": "housekeeping"]))
      let known = String(decoding: try await node.exec(housed, ["env"]).stdout, as: UTF8.self)
      #expect(known.contains("OPENSHIFT_HOUSEKEEPING_CPUS=1\n"), "\(known)")
      let sharing = try await pod("sharing", ["cpu-shared.crio.io/main": "enable"])
      let sharer = try await launch(sharing)
      #expect(try file("cpuset", "\(Node.cgroup)/sharing/\(sharer)/cpuset.cpus") == "0-1\n")
      #expect(try file("cpu", "\(Node.cgroup)/sharing/\(sharer)/\(quotaFile)").hasPrefix("200000"))
      let environment = try await node.exec(sharer, ["env"]).stdout
      let text = String(decoding: environment, as: UTF8.self)
      #expect(text.contains("OPENSHIFT_ISOLATED_CPUS=1\n") && text.contains("OPENSHIFT_SHARED_CPUS=0\n"), "\(text)")
      // As a kubelet's CPU manager does, again and again.
      let request = Runtime_V1_UpdateContainerResourcesRequest.with { ($0.containerID, $0.linux.cpusetCpus) = (sharer, "1") }
      _ = try await node.runtime("UpdateContainerResources", request, returning: Runtime_V1_UpdateContainerResourcesResponse.self)
      #expect(try file("cpuset", "\(Node.cgroup)/sharing/\(sharer)/cpuset.cpus") == "0-1\n")
      #expect(try await node.status(container: sharer).resources.linux.cpusetCpus == "1")
      guard !isUnified else { return }
      let still = try await launch(try await pod("still", ["cpu-load-balancing.crio.io": "disable"]))
      #expect(try file("cpuset", "\(Node.cgroup)/still/\(still)/cpuset.sched_load_balance") == "0\n")
      try await node.stop(container: still, timeout: 0)
      let state = node.state + "/processors"
      try await eventually("its record goes") { try Files.list(state).contains("container-\(still)") ? nil : true }
      await expectFault(.invalidArgument, "cpu-quota.crio.io", "\"odd\"") {
        _ = try await launch(try await pod("odd", ["cpu-quota.crio.io": "odd"]))
      }
    }
  }

  @Test(arguments: [
    ("[runtimes.runc]\nallowed_annotations = [\"no-such.crio.io\"]", "no-such.crio.io"),
    ("[workloads.x]\nactivation_annotation = \"a\"\nallowed_annotations = [\"b\"]", "workloads.x.allowed_annotations"),
    ("[workloads.x]\nannotation_prefix = \"a\"", "activation_annotation"), ("[shim]\ncgroup = \"/../x\"", "shim.cgroup"),
    ("[shim]\ncpuset = \"x\"", "shim.cpuset"),
  ])
  func `what cannot be honoured stops berthd at its start, by its name`(_ settings: String, _ word: String) async throws {
    try await expectRefusedSettings(settings, word)
  }
}
