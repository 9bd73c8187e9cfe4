import CRIAPI
import Core
import Linux
import OCI
import Spec
import Testing

/// What an operator wants of every container, and what images and pods say over it.
struct ContainerDefaultsTests {
  private func spec(_ defaults: (inout ContainerDefaults) throws -> Void, _ change: (inout SpecInputs) -> Void = { _ in }) throws
    -> RuntimeSpec
  {
    var own = ContainerDefaults()
    try defaults(&own)
    return try SpecFixture.build {
      $0.node.defaults = own
      change(&$0)
    }
  }

  private let filter = #"{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"}]}"#

  @Test func `limits of processes hold unless a base spec has some`() throws {
    let limit = try #require(RuntimeSpec.Rlimit(ulimit: "nofile=1024:4096"))
    #expect(limit == RuntimeSpec.Rlimit(type: "RLIMIT_NOFILE", soft: 1024, hard: 4096))
    #expect(try spec { $0.limits = [limit] }.process.rlimits == [limit])
    let base = try BaseSpec.parse(Array(#"{"process":{"rlimits":[{"type":"RLIMIT_CORE","soft":0,"hard":0}]}}"#.utf8))
    #expect(try spec({ $0.limits = [limit] }, { $0.handler.base = base }).process.rlimits?.map(\.type) == ["RLIMIT_CORE"])
    #expect(RuntimeSpec.Rlimit(ulimit: "core=-1")?.hard == .max)
    for text in ["", "nofile", "nofile=", "nofile=2:1", "no=1", "nofile=1:2:3", "nofile=x"] {
      #expect(RuntimeSpec.Rlimit(ulimit: text) == nil)
    }
  }

  @Test func `environment of the node lies below the image's and the pod's`() throws {
    let environment = try spec({ $0.environment = ["A=node", "B=node", "C=node"] }) {
      $0.image.config.env = ["B=image"]
      $0.setEnvironment(["C": "pod"])
    }.process.env
    for entry in ["A=node", "B=image", "C=pod"] { #expect(environment.contains(entry), "\(environment)") }
  }

  @Test func `the node's capabilities are where adding and dropping begins`() throws {
    let sets = try spec({
      $0.capabilities = try ContainerDefaults.capabilities(["CHOWN", "cap_kill"])
      $0.inheritsCapabilities = true
    }) { $0.securityContext.capabilities.dropCapabilities = ["KILL"] }.process.capabilities
    #expect(sets?.bounding == ["CAP_CHOWN"] && sets?.inheritable == ["CAP_CHOWN"] && sets?.ambient == [])
    #expect(throws: Fault.self) { try ContainerDefaults.capabilities(["FLY"]) }
  }

  @Test func `RuntimeDefault, nothing said and privileged mean the operator's filters`() throws {
    let own = try SeccompProfile.parse(Array(filter.utf8))
    let asked: (inout SpecInputs) -> Void = { $0.securityContext.seccomp.profileType = .runtimeDefault }
    #expect(try spec({ $0.seccomp = own }, asked).linux.seccomp?.syscalls?.map(\.names) == [["read"]])
    #expect(try spec({ $0.seccomp = own }).linux.seccomp == nil)
    #expect(try spec({ ($0.seccomp, $0.unsetSeccomp) = (own, "runtime/default") }).linux.seccomp?.syscalls?.count == 1)
    let named: (inout SpecInputs) -> Void = { $0.securityContext.seccomp.profileType = .unconfined }
    #expect(try spec({ ($0.seccomp, $0.unsetSeccomp) = (own, "runtime/default") }, named).linux.seccomp == nil)
    #expect(
      try spec({ _ in }) {
        asked(&$0); $0.handler.seccomp = own
      }.linux.seccomp?.syscalls?.count == 1)
    #expect(try spec({ $0.privilegedSeccomp = own }) { $0.bePrivileged() }.linux.seccomp?.syscalls?.count == 1)
  }

  @Test func `devices of the node are given to every container`() throws {
    let device = try ContainerDefaults.device("/dev/fuse:/dev/fuse2:rw")
    let linux = try spec({ $0.devices = [device] }) {
      $0.lookups.devices = { [DeviceNode(path: $0, kind: .character, major: 10, minor: 229)] }
    }.linux
    #expect(linux.devices?.map(\.path) == ["/dev/fuse2"] && linux.resources?.devices?.last?.access == "rw")
    #expect(try ContainerDefaults.device("/dev/fuse").containerPath == "/dev/fuse")
    for text in ["", "fuse", "/dev/fuse:x", "/dev/fuse:/dev/fuse:", "/a:/b:q", "/a:/b:r:w"] {
      #expect(throws: Fault.self) { try ContainerDefaults.device(text) }
    }
  }

  @Test func `read-only roots keep places to write, and volumes come over them`() throws {
    let spec = try spec({ ($0.isReadonly, $0.timezone) = (true, "/usr/share/zoneinfo/UTC") }) { $0.mount("/data", "/tmp") }
    #expect(spec.root.readonly == true)
    let places = spec.mounts.filter { ["/run", "/tmp", "/var/tmp"].contains($0.destination) }
    #expect(
      Dictionary(uniqueKeysWithValues: places.map { ($0.destination, $0.type) }) == ["/run": "tmpfs", "/var/tmp": "tmpfs", "/tmp": "bind"])
    let zone = spec.mounts.first { $0.destination == "/etc/localtime" }
    #expect(zone?.source == "/usr/share/zoneinfo/UTC" && zone?.options?.contains("ro") == true)
  }

  @Test func `a user and a group that the image does not know get entries where the operator wants it`() throws {
    func built(_ user: Int64, _ group: Int64, _ isWanted: Bool = true) throws -> BuiltSpec {
      try makeSpec(
        SpecFixture.inputs {
          $0.node.defaults.addsUsers = isWanted
          $0.prepared.ownFiles = "/bundle"
          $0.runAs(user, group)
          $0.container.workingDir = "/srv"
        })
    }
    let unknown = try built(4242, 5)
    #expect(
      unknown.userFiles.mapValues { String(decoding: $0, as: UTF8.self) } == [
        "passwd": SpecFixture.passwd + "4242:x:4242:5:container user:/srv:/sbin/nologin\n", "group": SpecFixture.group + "5:x:5:\n",
      ])
    for name in ["passwd", "group"] {
      #expect(unknown.spec.mounts.contains { $0.destination == "/etc/" + name && $0.source == "/bundle/" + name })
    }
    #expect(try built(4242, 10).userFiles.keys.sorted() == ["passwd"] && built(1000, 5).userFiles.keys.sorted() == ["group"])
    for other in [try built(1000, 1001), try built(4242, 5, false)] {
      #expect(other.userFiles.isEmpty && !other.spec.mounts.contains { ["/etc/passwd", "/etc/group"].contains($0.destination) })
    }
  }

  /// A privileged container mounts the host's own cgroup2: what the mount does not say again is taken from the whole node.
  @Test func `the host's cgroup2 keeps its options`() throws {
    func options(_ isPrivileged: Bool, _ version: NodeFacts.CgroupVersion = .v2) throws -> [String] {
      let spec = try SpecFixture.build {
        ($0.node.cgroupMountOptions, $0.node.cgroupVersion) = (["nsdelegate", "memory_recursiveprot"], version)
        if isPrivileged { $0.bePrivileged() }
      }
      return spec.mounts.first { $0.destination == "/sys/fs/cgroup" }?.options ?? []
    }
    #expect(try options(true).suffix(2) == ["nsdelegate", "memory_recursiveprot"])
    #expect(try !options(false).contains("nsdelegate") && !options(true, .v1).contains("nsdelegate"))
  }
}
