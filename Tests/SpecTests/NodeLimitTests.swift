import CRIAPI
import Core
import Linux
import OCI
import Spec
import SwiftProtobuf
import Testing

/// Limits that are well-formed and that this node cannot keep.
struct NodeLimitTests {
  private func fault(_ change: @escaping (inout SpecInputs) -> Void) -> (code: Fault.Code?, message: String) {
    SpecFixture.fault {
      $0.lookups.processors = { version in CPUSet(version == .v1 ? "0-3" : "0-7") }
      $0.lookups.memoryNodes = { _ in CPUSet("0") }
      change(&$0)
    }
  }

  @Test func processorsAndMemoryNodesMustBeThere() {
    let all = fault {
      ($0.node.cgroupVersion, $0.container.linux.resources.cpusetCpus, $0.container.linux.resources.cpusetMems) = (.v1, "0-3", "0")
    }
    #expect(all.code == nil, "\(all.message)")
    let processors = fault { ($0.node.cgroupVersion, $0.container.linux.resources.cpusetCpus) = (.v1, "1,4") }
    #expect(processors.code == .failedPrecondition)
    #expect(processors.message == "linux.resources.cpuset_cpus: \"1,4\", this node has the processors 0-3")
    #expect(fault { $0.container.linux.resources.cpusetCpus = "1,4" }.code == nil, "v2 takes what may come online")
    let nodes = fault { $0.container.linux.resources.cpusetMems = "0-1" }
    #expect(nodes.message == "linux.resources.cpuset_mems: \"0-1\", this node has the memory nodes 0")
    let unknown = fault {
      $0.lookups.processors = { _ in nil }
      $0.container.linux.resources.cpusetCpus = "99"
    }
    #expect(unknown.code == nil)
  }

  @Test func hugePagesMustBeOfASizeThatThereIs() throws {
    var node = NodeFacts()
    node.hugepageSizes = ["2MB", "1GB"]
    var asked = Runtime_V1_LinuxContainerResources.with {
      $0.hugepageLimits = [("2MB", 4), ("1GB", 0), ("64KB", 0)].map { size, limit in .with { ($0.pageSize, $0.limit) = (size, limit) } }
    }
    #expect(try LinuxResources.make(asked, node: node).0.hugepageLimits?.map(\.pageSize) == ["2MB", "1GB"], "none of what is not there")
    asked.hugepageLimits[2].limit = 1
    let error = #expect(throws: Fault.self) { try LinuxResources.make(asked, node: node) }
    #expect(error?.code == .failedPrecondition)
    #expect(error?.message == "linux.resources.hugepage_limits[2].page_size: 64KB, this node has pages of 1GB, 2MB")
    node.hasHugepageLimits = false
    #expect(try LinuxResources.make(asked, node: node).warnings.count == 1)
  }

  @Test func filesOfCgroupsNeedTheirController() throws {
    var node = NodeFacts()
    node.controllers = ["cpu", "memory"]
    var asked = Runtime_V1_LinuxContainerResources.with { $0.unified = ["memory.high": "1M", "cgroup.max.depth": "3"] }
    #expect(try LinuxResources.make(asked, node: node).0.unified == asked.unified)
    asked.unified["io.max"] = "8:0 rbps=1"
    let error = #expect(throws: Fault.self) { try LinuxResources.make(asked, node: node) }
    #expect(error?.code == .failedPrecondition)
    #expect(error?.message == "linux.resources.unified[\"io.max\"]: this node's cgroups have no controller io")
  }

  @Test(arguments: [
    ("cgroup.procs", "1", "is no limit"), ("cgroup.kill", "1", "is no limit"), ("cgroup.freeze", "1", "is no limit"),
    ("memory.high", "", "is empty"), ("memory.high", "much", "\"much\" is no number of bytes"), ("memory.max", "-1", "is no number"),
    ("memory.swap.max", "1 M", "is no number"), ("hugetlb.2MB.max", "2MB", "is no number"), ("memory", "1", "is no cgroup file"),
  ])
  func filesOfCgroupsAreLimits(_ key: String, _ value: String, _ words: String) {
    let fault = fault { $0.container.linux.resources.unified = [key: value] }
    #expect(fault.code == .invalidArgument)
    #expect(fault.message.hasPrefix("linux.resources.unified[\"\(key)\"]: ") && fault.message.contains(words), "\(fault.message)")
  }

  @Test(arguments: [
    ("memory.high", "max"), ("memory.high", "123"), ("memory.low", "100M"), ("memory.min", "0x1000"), ("memory.swap.max", " 1g\n"),
    ("memory.oom.group", "1"), ("memory.zswap.writeback", "0"), ("cpu.max", "max 100000"), ("io.max", "8:0 rbps=1"),
    ("pids.max", "5"), ("cpuset.cpus.partition", "root"), ("cgroup.max.descendants", "max"),
  ])
  func otherValuesAreTheKernelsToJudge(_ key: String, _ value: String) {
    let fault = fault { $0.container.linux.resources.unified = [key: value] }
    #expect(fault.code == nil, "\(fault.message)")
  }

  @Test func factsOfThisNodeFitItsKernel() throws {
    let facts = try NodeFacts.gather()
    for size in facts.hugepageSizes ?? [] { #expect(size.hasSuffix("KB") || size.hasSuffix("MB") || size.hasSuffix("GB")) }
    let lookups = Lookups { _ in nil }
    #expect(try lookups.processors(.v1)?.isEmpty == false)
    #expect(try lookups.processors(.v2)?.isEmpty == false)
  }
}
