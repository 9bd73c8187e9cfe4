import CRIAPI
import Core
import OCI
import Spec
import SwiftProtobuf
import Testing

struct LinuxSpecTests {
  private func namespaces(_ change: (inout SpecInputs) -> Void) throws(Fault) -> [RuntimeSpec.Namespace.Kind: String] {
    Dictionary(uniqueKeysWithValues: try SpecFixture.build(change).linux.namespaces.map { ($0.type, $0.path ?? "own") })
  }

  @Test func aContainerJoinsItsPodAndHasItsOwnProcesses() throws {
    let found = try namespaces { _ in }
    #expect(
      found == [
        .mount: "own", .pid: "own", .network: "/run/netns/berth-1", .ipc: "/proc/7/ns/ipc", .uts: "/proc/7/ns/uts", .cgroup: "own",
      ])
    #expect(try namespaces { $0.node.cgroupVersion = .v1 }[.cgroup] == nil)
  }

  @Test func thePIDNamespaceIsTheOneAskedFor() throws {
    let shared = try namespaces {
      $0.securityContext.namespaceOptions.pid = .pod
      $0.pod.pidNamespace = "/proc/7/ns/pid"
    }
    #expect(shared[.pid] == "/proc/7/ns/pid")
    let refused = SpecFixture.fault { $0.securityContext.namespaceOptions.pid = .node }
    #expect(refused.code == .invalidArgument && refused.message.contains("pid: NODE, but the pod"))
    let node = try namespaces {
      $0.securityContext.namespaceOptions.pid = .node
      $0.sandbox.linux.securityContext.namespaceOptions.pid = .node
    }
    #expect(node[.pid] == nil)
    #expect(try namespaces { $0.securityContext.namespaceOptions.pid = .pod }[.pid] == "own")
    let host = try namespaces {
      $0.securityContext.namespaceOptions.pid = .pod
      $0.sandbox.linux.securityContext.namespaceOptions.pid = .node
    }
    #expect(host[.pid] == nil)
    let target = try namespaces {
      $0.securityContext.namespaceOptions.pid = .target
      $0.securityContext.namespaceOptions.targetID = "abc"
      $0.pod.targetPIDNamespace = "/proc/9/ns/pid"
    }
    #expect(target[.pid] == "/proc/9/ns/pid")
    let gone = SpecFixture.fault {
      $0.securityContext.namespaceOptions.pid = .target
      $0.securityContext.namespaceOptions.targetID = "abc"
    }
    #expect(gone.code == .failedPrecondition && gone.message.contains("\"abc\""))
  }

  @Test func networkAndIPCMayBeTheContainersOwn() throws {
    let own = try namespaces {
      ($0.securityContext.namespaceOptions.network, $0.securityContext.namespaceOptions.ipc) = (.container, .container)
    }
    #expect(own[.network] == "own" && own[.ipc] == "own" && own[.uts] == "/proc/7/ns/uts")
    let onHost = try namespaces {
      ($0.pod.networkNamespace, $0.pod.ipcNamespace) = (nil, nil)
      ($0.securityContext.namespaceOptions.network, $0.securityContext.namespaceOptions.ipc) = (.container, .node)
    }
    #expect(onHost[.network] == "own" && onHost[.ipc] == nil)
    for mode in [Runtime_V1_NamespaceMode.node, .target, .UNRECOGNIZED(7)] {
      for (field, change) in [("network", { $0.network = mode }), ("ipc", { $0.ipc = mode })]
        as [(String, (inout Runtime_V1_NamespaceOption) -> Void)]
      {
        let refused = SpecFixture.fault { change(&$0.securityContext.namespaceOptions) }
        #expect(refused.code == .invalidArgument && refused.message.contains("namespace_options.\(field): "), "\(refused.message)")
      }
    }
  }

  @Test func aHostPodJoinsNothing() throws {
    var sandbox = SpecFixture.sandbox
    sandbox.linux.securityContext.namespaceOptions.network = .node
    sandbox.linux.securityContext.namespaceOptions.ipc = .node
    sandbox.linux.securityContext.namespaceOptions.pid = .node
    #expect(try PodNamespaces(sandbox).ownUTS, "it says a name")
    sandbox.hostname = ""
    let pod = try PodNamespaces(sandbox)
    #expect(!pod.ownNetwork && !pod.ownIPC && !pod.ownUTS && !pod.sharedPID && pod.hostPID)
    let facts = PodFacts(sandboxID: "s", holderPID: 7, namespaces: pod, networkNamespace: "/run/netns/x")
    #expect(facts == PodFacts(sandboxID: "s"))
    sandbox.linux.securityContext.namespaceOptions.network = .target
    #expect(throws: Fault.self) { try PodNamespaces(sandbox) }
  }

  @Test func cgroupsLieBelowThePod() throws {
    for (parent, path) in [
      ("/kubepods/besteffort/pod1", "/kubepods/besteffort/pod1/x"), ("", "/berth/x"), ("/", "/x"), ("/a.slice", "/a.slice/x"),
    ] {
      let cgroup = try CgroupPath(parent: parent, driver: .cgroupfs)
      #expect(cgroup.spec("x") == path && cgroup.container("x") == path && cgroup.sandbox("x") == path)
    }
  }

  @Test func systemdMakesScopesInSlices() throws {
    let slice = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice"
    for parent in [slice, "kubepods-burstable-pod1.slice"] {
      let cgroup = try CgroupPath(parent: parent, driver: .systemd)
      #expect(cgroup.spec("x") == "kubepods-burstable-pod1.slice:berth:x")
      #expect(cgroup.container("x") == slice + "/berth-x.scope" && cgroup.sandbox("x") == slice + "/x")
    }
    #expect(try CgroupPath(parent: "", driver: .systemd).container("x") == "/system.slice/berth-x.scope")
    for wrong in ["/kubepods/pod1", "a--b.slice", ".slice"] {
      #expect(throws: Fault.self) { try CgroupPath(parent: wrong, driver: .systemd) }
    }
    let spec = try SpecFixture.build {
      $0.node.cgroupDriver = .systemd
      $0.sandbox.linux.cgroupParent = slice
    }
    #expect(spec.linux.cgroupsPath == "kubepods-burstable-pod1.slice:berth:\(SpecFixture.id)")
  }

  private func resources(_ change: (inout Runtime_V1_LinuxContainerResources) -> Void, node: NodeFacts = NodeFacts()) throws(Fault) -> (
    RuntimeSpec.Resources, warnings: [String]
  ) {
    var asked = Runtime_V1_LinuxContainerResources()
    change(&asked)
    return try LinuxResources.make(asked, node: node)
  }

  @Test func `systemd is told by its file that a container cannot swap`() throws {
    func files(_ change: (inout NodeFacts) -> Void = { _ in }, _ asked: (inout Runtime_V1_LinuxContainerResources) -> Void) throws
      -> [String: String]?
    {
      var node = NodeFacts()
      (node.cgroupVersion, node.cgroupDriver) = (.v2, .systemd)
      change(&node)
      return try resources(asked, node: node).0.unified
    }
    #expect(try files { $0.memoryLimitInBytes = 1000 } == ["memory.swap.max": "0"])
    #expect(try files { ($0.memoryLimitInBytes, $0.memorySwapLimitInBytes) = (1000, 1000) } == ["memory.swap.max": "0"])
    #expect(try files { ($0.memoryLimitInBytes, $0.memorySwapLimitInBytes) = (1000, 2000) } == nil)
    #expect(try files { $0.memoryLimitInBytes = -1 } == nil && files { $0.cpuShares = 5 } == nil)
    let own = ["memory.swap.max": "7"]
    #expect(try files { ($0.memoryLimitInBytes, $0.unified) = (1000, own) } == own)
    for other: (inout NodeFacts) -> Void in [{ $0.cgroupDriver = .cgroupfs }, { $0.cgroupVersion = .v1 }, { $0.hasSwapLimits = false }] {
      #expect(try files(other) { $0.memoryLimitInBytes = 1000 } == nil)
    }
  }

  @Test func limitsAreWrittenAndZeroIsNotALimit() throws {
    #expect(try resources { _ in }.0 == RuntimeSpec.Resources())
    let full = try resources {
      $0.cpuPeriod = 100_000
      $0.cpuQuota = -1
      $0.cpuShares = 512
      $0.cpusetCpus = "0-1"
      $0.memoryLimitInBytes = 1 << 20
      $0.unified = ["memory.high": "1000000"]
    }.0
    #expect(full.cpu?.period == 100_000 && full.cpu?.quota == -1 && full.cpu?.shares == 512 && full.cpu?.cpus == "0-1")
    #expect(full.memory == RuntimeSpec.Memory(limit: 1 << 20, swap: 1 << 20))
    #expect(full.unified == ["memory.high": "1000000"])
  }

  @Test func whatTheNodeCannotCountIsLeftOutAndSaid() throws {
    var node = NodeFacts()
    node.hasSwapLimits = false
    node.hasHugepageLimits = false
    node.cgroupVersion = .v1
    let (limits, warnings) = try resources(
      {
        $0.memoryLimitInBytes = 5
        $0.memorySwapLimitInBytes = 10
        $0.hugepageLimits = [
          .with {
            $0.pageSize = "2MB"; $0.limit = 4
          }
        ]
      }, node: node)
    #expect(limits.memory == RuntimeSpec.Memory(limit: 5) && limits.hugepageLimits == nil)
    #expect(warnings.count == 2)
    let error = #expect(throws: Fault.self) { try resources({ $0.unified = ["memory.high": "1"] }, node: node) }
    #expect(error?.code == .failedPrecondition)
  }

  @Test func anUpdateChangesOnlyWhatItNames() throws {
    let old = try resources {
      $0.cpuShares = 10
      $0.cpuQuota = 20
      $0.memoryLimitInBytes = 30
    }.0
    let update = try resources { $0.cpuQuota = 40 }.0
    let new = old.updated(with: update)
    #expect(new.cpu?.shares == 10 && new.cpu?.quota == 40 && new.memory?.limit == 30)
  }

  @Test func factsOfThisNodeCanBeGathered() throws {
    let facts = try NodeFacts.gather()
    #expect(!facts.hostname.isEmpty)
    #expect(facts.availableCapabilities.contains(.sysAdmin))
    #expect((facts.minimumOOMScore == nil) == facts.availableCapabilities.contains(.sysResource))
  }
}
