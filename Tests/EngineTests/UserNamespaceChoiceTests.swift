import CRIAPI
import Core
import Linux
import Spec
import Support
import SwiftProtobuf
import Testing

@testable import Engine

@Suite struct UserNamespaceChoiceTests {
  private static let nothing = IDMaps(users: [], groups: [])

  private func range(_ inside: UInt32, _ outside: UInt32, _ count: UInt32) -> IDRange {
    IDRange(inside: inside, outside: outside, count: count)
  }

  /// What a pod gets with this annotation, on a node with these lines for users and groups.
  private func maps(
    _ annotation: String?, subuid: String = "containers:100000:200000\n", used: [IDRange] = [], lowest: UInt32 = 0, allowed: Bool = true,
    standard: IDMaps? = nil, _ change: (inout Runtime_V1_LinuxSandboxSecurityContext) -> Void = { _ in }
  ) throws -> IDMaps? {
    try withScratch("subids") { directory in
      try Files.write(subuid, to: directory + "/subuid")
      try Files.write("other:5:5\ncontainers:300000:65536\n", to: directory + "/subgid")
      var settings = EngineSettings(state: "/s", runtimes: [:], node: NodeFacts())
      if allowed { settings.allowedAnnotations = ["": try AllowedAnnotations(["userns-mode.crio.io"])] }
      (settings.podDefaults.lowestUser, settings.podDefaults.lowestGroup) = (lowest, lowest)
      settings.podDefaults.userNamespaces.subordinateUsers = directory + "/subuid"
      settings.podDefaults.userNamespaces.subordinateGroups = directory + "/subgid"
      settings.podDefaults.userNamespaces.standard = standard
      var config = Runtime_V1_PodSandboxConfig()
      config.metadata = .with { ($0.name, $0.namespace, $0.uid) = ("p", "n", "u") }
      if let annotation { config.annotations = ["userns-mode.crio.io": annotation] }
      change(&config.linux.securityContext)
      let choice = try UserNamespaceChoice(settings: settings, request: SandboxRequest(config: config, runtimeHandler: ""))
      return try choice.namespaces { IDMaps(users: used, groups: []) }.idMaps
    }
  }

  private func fault(
    _ annotation: String, subuid: String = "containers:100000:200000\n", lowest: UInt32 = 0,
    _ change: (inout Runtime_V1_LinuxSandboxSecurityContext) -> Void = { _ in }
  ) -> Fault? {
    #expect(throws: Fault.self) { _ = try maps(annotation, subuid: subuid, lowest: lowest, change) }
  }

  @Test func `auto has the first IDs that nobody has, from several pieces where it must`() throws {
    #expect(try maps("auto")?.users == [range(0, 100_000, 65_536)])
    #expect(try maps("auto")?.groups == [range(0, 300_000, 65_536)])
    let second = try maps("auto:size=1000", used: [range(0, 100_000, 65_536)])
    #expect(second?.users == [range(0, 165_536, 1000)])
    let pieces = try maps("auto:size=300", subuid: "containers:1000:100\ncontainers:5000:1000\n", used: [range(0, 1050, 20)])
    #expect(pieces?.users == [range(0, 1000, 50), range(50, 1070, 30), range(80, 5000, 220)])
  }

  @Test func `the pod's user has a host ID, its own with keep-id, and is root with map-to-root`() throws {
    let change: (inout Runtime_V1_LinuxSandboxSecurityContext) -> Void = {
      $0.runAsUser.value = 1_000_000
      $0.runAsGroup.value = 70
      $0.supplementalGroups = [70, 80]
    }
    let auto = try maps("auto:size=100", change)
    #expect(auto?.users == [range(0, 100_000, 100), range(1_000_000, 100_100, 1)] && auto?.groups == [range(0, 300_000, 100)])
    let kept = try maps("auto:size=100;keep-id=true", change)
    #expect(kept?.users == [range(0, 100_000, 100), range(1_000_000, 1_000_000, 1)])
    #expect(kept?.group(70) == 70 && kept?.group(80) == 80 && kept?.group(0) == 300_000 && kept?.group(71) == 300_070)
    let root = try maps("auto:size=100;map-to-root=true", change)
    #expect(root?.user(0) == 1_000_000 && root?.user(1) == 100_000 && root?.group(0) == 70)
  }

  @Test func `named ranges are for who may have them`() throws {
    let asRoot: (inout Runtime_V1_LinuxSandboxSecurityContext) -> Void = { $0.runAsUser.value = 0 }
    let auto = try maps("auto:size=100;uidmapping=5:700:10", asRoot)
    #expect(auto?.users == [range(0, 100_000, 5), range(15, 100_005, 85), range(5, 700, 10)])
    #expect(try maps("private:uidmapping=0:700:10", asRoot) == IDMaps(users: [range(0, 700, 10)], groups: [range(0, 700, 10)]))
    #expect(fault("private:uidmapping=0:700:10")?.message.contains("no run_as_user") == true)
    #expect(fault("private:uidmapping=0:700:10") { $0.runAsUser.value = 5 }?.message.contains("minimum_mappable_uid") == true)
    #expect(fault("private:uidmapping=0:700:10", lowest: 600) { $0.runAsUser.value = 599 }?.code == .invalidArgument)
    #expect(try maps("private:uidmapping=0:700:10", lowest: 600) { $0.runAsUser.value = 600 }?.user(0) == 700)
    #expect(fault("private:uidmapping=0:500:10", lowest: 600, asRoot)?.message.contains("500 is below 600") == true)
    #expect(fault("private:uidmapping=1:700:10", asRoot)?.message.contains("nothing maps container ID 0") == true)
    #expect(fault("private")?.code == .failedPrecondition)
  }

  @Test func `the pod's own field wins, and what contradicts it is an error`() throws {
    let own: (inout Runtime_V1_LinuxSandboxSecurityContext) -> Void = {
      let ranges = [Runtime_V1_IDMapping.with { ($0.hostID, $0.length) = (7000, 100) }]
      $0.namespaceOptions.usernsOptions = .with { ($0.mode, $0.uids, $0.gids) = (.pod, ranges, ranges) }
    }
    #expect(try maps("auto", own)?.users == [range(0, 7000, 100)])
    for mode in ["host", "auto:keep-id=true", "private:uidmapping=0:1:1"] {
      #expect(fault(mode, own)?.message.contains("mode POD") == true)
    }
    #expect(try maps("auto") { $0.namespaceOptions.usernsOptions.mode = .node }?.user(0) == 100_000)
    #expect(fault("auto") { $0.namespaceOptions.pid = .node }?.message.contains("pid: NODE is not possible") == true)
    #expect(try maps("auto", allowed: false) == nil)
    #expect(try maps("") == nil)
  }

  @Test func `the node's mappings are for pods that say nothing and share nothing`() throws {
    let standard = IDMaps(users: [range(0, 400_000, 10)], groups: [range(0, 400_000, 10)])
    #expect(try maps(nil, standard: standard) == standard)
    #expect(try maps(nil, standard: standard) { $0.namespaceOptions.usernsOptions.mode = .node } == standard)
    #expect(try maps("private", standard: standard) == standard)
    #expect(try maps("host", standard: standard) == nil)
    let inFiles = IDMaps(users: [range(0, 100_000, 10)], groups: [range(0, 300_000, 10)])
    #expect(try maps("auto:size=5", standard: inFiles)?.user(0) == 100_010)
    for change: (inout Runtime_V1_LinuxSandboxSecurityContext) -> Void in [
      { $0.privileged = true }, { $0.namespaceOptions.network = .node }, { $0.namespaceOptions.pid = .node },
      { $0.namespaceOptions.ipc = .node },
    ] { #expect(try maps(nil, standard: standard, change) == nil) }
  }

  @Test func `what the node cannot give says how much there is`() throws {
    let none = fault("auto", subuid: "other:1:1000\ncontainers:x:5\n")
    #expect(none?.code == .failedPrecondition && none?.message.contains("has no IDs for \"containers\"") == true)
    let few = fault("auto:size=1000", subuid: "containers:100000:999\n")
    #expect(few?.code == .resourceExhausted && few?.message.contains("1000 IDs are wanted, and 999 of the 999") == true)
  }

  @Test func `sets of IDs lose what is taken, whatever overlaps`() {
    let set = IDIntervals([10..<20, 18..<30, 40..<50, 5..<5])
    #expect(set.runs == [10..<30, 40..<50] && set.count == 30)
    #expect(set.subtracting(IDIntervals([0..<12, 15..<16, 29..<45])).runs == [12..<15, 16..<29, 45..<50])
    #expect(set.first(25)?.runs == [10..<30, 40..<45] && set.first(31) == nil && set.first(0)?.runs == [])
  }
}
