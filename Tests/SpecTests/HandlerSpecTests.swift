import CRIAPI
import Core
import Linux
import OCI
import Spec
import SwiftProtobuf
import Testing

/// What a runtime handler's settings change in its containers' specs.
struct HandlerSpecTests {
  private func privileged(_ change: @escaping (inout HandlerFacts) -> Void) -> (inout SpecInputs) -> Void {
    { inputs in
      inputs.sandbox.linux.securityContext.privileged = true
      inputs.securityContext.privileged = true
      change(&inputs.handler)
    }
  }

  @Test func `a privileged container gets no devices of the host where its handler keeps them`() throws {
    let all = try SpecFixture.build(privileged { _ in }).linux
    #expect(all.devices?.map(\.path) == ["/dev/kmsg"])
    let hidden = try SpecFixture.build(privileged { $0.hidesHostDevices = true }).linux
    let usual = try SpecFixture.build().linux
    #expect(hidden.devices == nil && hidden.resources?.devices == usual.resources?.devices)
    let allowed = try SpecFixture.build(
      privileged {
        $0.hidesHostDevices = true
        $0.allowsAllDevices = true
      }
    ).linux
    #expect(allowed.devices == nil && allowed.resources?.devices == [RuntimeSpec.DeviceRule(allow: true, access: "rwm")])
  }

  @Test func `cgroups are writable where the handler says so, on cgroup v2 only`() throws {
    func access(_ version: NodeFacts.CgroupVersion) throws -> Bool? {
      try SpecFixture.build {
        $0.handler.hasWritableCgroups = true
        $0.node.cgroupVersion = version
      }.mounts.first { $0.destination == "/sys/fs/cgroup" }?.options?.contains("rw")
    }
    #expect(try access(.v2) == true)
    #expect(try access(.v1) == false)
  }

  @Test func `who mounts the host's cgroups leaves the filesystem's options as they are, on cgroup v2`() throws {
    func options(_ change: @escaping (inout SpecInputs) -> Void) throws -> Set<String> {
      let spec = try SpecFixture.build {
        $0.node.cgroupMountOptions = ["nsdelegate", "memory_recursiveprot"]
        change(&$0)
      }
      return Set(spec.mounts.first { $0.destination == "/sys/fs/cgroup" }?.options ?? [])
    }
    #expect(try options { $0.bePrivileged() }.isSuperset(of: ["nsdelegate", "memory_recursiveprot"]))
    #expect(try options { _ in }.isDisjoint(with: ["nsdelegate", "memory_recursiveprot"]))
    #expect(
      try options {
        $0.bePrivileged()
        $0.node.cgroupVersion = .v1
      }.isDisjoint(with: ["nsdelegate"]))
  }

  @Test func `a memory limit below the handler's needs is refused with both figures`() throws {
    let limit: (Int64) -> (inout SpecInputs) -> Void = { limit in
      { inputs in
        inputs.handler.minimumMemory = 8 << 20
        inputs.container.linux.resources.memoryLimitInBytes = limit
      }
    }
    let fault = SpecFixture.fault(limit(4 << 20))
    #expect(fault.code == .invalidArgument && fault.message.contains("4194304") && fault.message.contains("8388608"), "\(fault)")
    _ = try SpecFixture.build(limit(8 << 20))
    _ = try SpecFixture.build(limit(0))
  }

  @Test func `default annotations come last`() throws {
    let spec = try SpecFixture.build {
      $0.handler.defaultAnnotations = ["a": "handler", "b": "handler", "io.kubernetes.cri.container-type": "x"]
      $0.passedAnnotations = ["a": "pod"]
    }
    #expect(spec.annotations?["a"] == "pod" && spec.annotations?["b"] == "handler")
    #expect(spec.annotations?["io.kubernetes.cri.container-type"] == "container")
  }

  private let base = """
    {"ociVersion": "1.0.2", "root": {"path": "x"}, "hostname": "h",
     "process": {"terminal": false, "user": {"uid": 5, "gid": 5}, "args": ["sh"], "cwd": "/base", "env": ["PATH=/x", "FROM_BASE=1", "HOME=/b"],
       "capabilities": {"bounding": ["CAP_KILL", "CAP_CHOWN"], "effective": ["CAP_SYS_ADMIN"]}, "noNewPrivileges": true, "selinuxLabel": "x",
       "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 1024, "hard": 4096}]},
     "mounts": [{"destination": "/proc", "type": "proc", "source": "proc", "options": []},
       {"destination": "/run", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid"]},
       {"destination": "/cache", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid"]}],
     "hooks": {"poststop": [{"path": "/bin/bye"}]}, "annotations": {"base": "yes", "io.kubernetes.cri.container-name": "no"},
     "linux": {"namespaces": [{"type": "pid"}], "maskedPaths": ["/x"], "sysctl": {"net.core.somaxconn": "99"},
       "devices": [{"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229}],
       "resources": {"pids": {"limit": 99}, "cpu": {"shares": 7, "cpus": "0"}, "memory": {"limit": 5},
         "devices": [{"allow": false, "access": "rwm"}, {"allow": true, "type": "c", "major": 10, "minor": 229, "access": "rw"}]}}}
    """

  @Test func `a base spec says what the CRI does not`() throws {
    let parsed = try BaseSpec.parse(Array(base.utf8))
    let plain = try SpecFixture.build()
    let spec = try SpecFixture.build {
      $0.handler.base = parsed
      $0.container.linux.resources.cpuShares = 100
      $0.setEnvironment(["HOME": "/c"])
    }
    #expect(spec.process.rlimits == [RuntimeSpec.Rlimit(type: "RLIMIT_NOFILE", soft: 1024, hard: 4096)])
    #expect(spec.process.env.contains("FROM_BASE=1") && spec.process.env.contains("HOME=/c") && !spec.process.env.contains("PATH=/x"))
    #expect(spec.process.user == plain.process.user && spec.process.args == plain.process.args && spec.process.selinuxLabel == nil)
    #expect(spec.process.capabilities?.effective == ["CAP_CHOWN", "CAP_KILL"] && spec.process.noNewPrivileges == nil)
    #expect(spec.mounts.filter { !plain.mounts.contains($0) }.map(\.destination) == ["/cache"])
    #expect(spec.hooks?.poststop == [RuntimeSpec.Hook(path: "/bin/bye")])
    #expect(spec.annotations?["base"] == "yes" && spec.annotations?["io.kubernetes.cri.container-name"] == "main")
    #expect(spec.linux.sysctl == ["net.core.somaxconn": "99"] && spec.linux.devices?.map(\.path) == ["/dev/fuse"])
    let resources = spec.linux.resources
    #expect(resources?.pids?.limit == 99 && resources?.cpu?.shares == 100 && resources?.cpu?.cpus == "0" && resources?.memory?.limit == 5)
    let rules = (plain.linux.resources?.devices ?? []) + [.init(allow: true, type: "c", major: 10, minor: 229, access: "rw")]
    #expect(resources?.devices == rules && spec.linux.namespaces == plain.linux.namespaces && spec.linux.maskedPaths == nil)
  }

  private func based(_ base: String, _ change: (inout SpecInputs) -> Void = { _ in }) throws -> RuntimeSpec {
    let parsed = try BaseSpec.parse(Array(base.utf8))
    return try SpecFixture.build {
      $0.handler.base = parsed
      change(&$0)
    }
  }

  @Test func `capabilities and working directory of a base spec are where the CRI begins`() throws {
    #expect(try based(base).process.cwd == "/base")
    #expect(try based(base) { $0.container.workingDir = "/c" }.process.cwd == "/c")
    #expect(try based(base) { $0.image.config.workingDir = "/i" }.process.cwd == "/i")
    let changed = try based(base) {
      $0.securityContext.capabilities = .with { ($0.addCapabilities, $0.dropCapabilities) = (["NET_RAW"], ["KILL"]) }
    }
    #expect(changed.process.capabilities?.bounding == ["CAP_CHOWN", "CAP_NET_RAW"])
    let none = try based(base) { $0.securityContext.capabilities.dropCapabilities = ["ALL"] }
    #expect(none.process.capabilities?.bounding == [])
  }

  @Test func `a base spec's seccomp filter holds for who is unconfined, and for nobody else`() throws {
    let text = #"{"linux": {"seccomp": {"defaultAction": "SCMP_ACT_LOG", "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"}]}}}"#
    let own = try based(text).linux.seccomp
    #expect(own?.defaultAction == "SCMP_ACT_LOG" && own?.syscalls?.first?.names == ["mkdir"])
    #expect(try based(text) { $0.securityContext.seccomp.profileType = .unconfined }.linux.seccomp == own)
    #expect(try based(text) { $0.securityContext.seccompProfilePath = "unconfined" }.linux.seccomp == own)
    #expect(try based(text) { $0.securityContext.seccomp.profileType = .runtimeDefault }.linux.seccomp?.defaultAction == "SCMP_ACT_ERRNO")
    #expect(try based(text) { $0.node.defaults.unsetSeccomp = "runtime/default" }.linux.seccomp?.defaultAction == "SCMP_ACT_ERRNO")
    let local = try based(text) {
      $0.securityContext.seccomp = .with { ($0.profileType, $0.localhostRef) = (.localhost, "/p.json") }
      $0.lookups.seccompProfile = { _ in Array(#"{"defaultAction": "SCMP_ACT_TRAP"}"#.utf8) }
    }
    #expect(local.linux.seccomp?.defaultAction == "SCMP_ACT_TRAP")
    #expect(try based(text) { $0.bePrivileged() }.linux.seccomp == nil)
  }

  @Test func `a base spec's AppArmor profile holds for who is unconfined, and is refused where it cannot be had`() throws {
    let text = #"{"process": {"apparmorProfile": "strict"}}"#
    let on: (inout SpecInputs) -> Void = { ($0.node.hasAppArmor, $0.node.defaultAppArmorProfile) = (true, "berth-default") }
    #expect(try based(text, on).process.apparmorProfile == "berth-default")
    let unconfined = try based(text) {
      on(&$0)
      $0.securityContext.apparmor.profileType = .unconfined
    }
    #expect(unconfined.process.apparmorProfile == "strict")
    let privileged = try based(text) {
      on(&$0)
      $0.bePrivileged()
    }
    #expect(privileged.process.apparmorProfile == nil)
    let fault = #expect(throws: Fault.self) { try based(text) }
    #expect(fault?.code == .failedPrecondition && fault?.message.contains("process.apparmorProfile: profile \"strict\"") == true)
    #expect(throws: Fault.self) { try based(text.replacing("strict", with: "absent")) { $0.node.hasAppArmor = true } }
  }

  @Test func `limits and properties that only a base spec has stay as it says, whatever the CRI limits beside them`() throws {
    let linux = #"""
      {"rootfsPropagation": "rshared", "personality": {"domain": "LINUX32"}, "intelRdt": {"closID": "gold"}, "resources": {
       "blockIO": {"weight": 300, "throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 1048576}]},
       "network": {"classID": 7, "priorities": [{"name": "lo", "priority": 2}]}, "rdma": {"mlx5_0": {"hcaHandles": 3}},
       "memory": {"reservation": 4096, "swappiness": 10, "disableOOMKiller": true}, "cpu": {"burst": 5, "idle": 1, "realtimeRuntime": 9}}}
      """#
    let text = #"""
      {"root": {"path": "x", "readonly": true}, "linux": \#(linux),
       "process": {"user": {"uid": 9, "umask": 63}, "ioPriority": {"class": "IOPRIO_CLASS_IDLE", "priority": 1},
        "scheduler": {"policy": "SCHED_BATCH"}}}
      """#
    let spec = try based(text) {
      ($0.container.linux.resources.memoryLimitInBytes, $0.container.linux.resources.cpuShares) = (1 << 20, 100)
    }
    #expect(spec.root == RuntimeSpec.Root(path: "rootfs", readonly: true) && spec.process.user.umask == 63 && spec.process.user.uid == 0)
    #expect(spec.process.ioPriority?.class == "IOPRIO_CLASS_IDLE" && spec.process.scheduler?.policy == "SCHED_BATCH")
    #expect(spec.linux.rootfsPropagation == "rshared" && spec.linux.personality?.domain == "LINUX32")
    #expect(spec.linux.intelRdt?.closID == "gold")
    let resources = try #require(spec.linux.resources)
    #expect(resources.blockIO?.weight == 300 && resources.blockIO?.throttleReadBpsDevice?.first?.rate == 1 << 20)
    #expect(resources.network?.classID == 7 && resources.rdma?["mlx5_0"]?.hcaHandles == 3)
    #expect(resources.memory?.reservation == 4096 && resources.memory?.swappiness == 10 && resources.memory?.limit == 1 << 20)
    #expect(resources.cpu?.burst == 5 && resources.cpu?.idle == 1 && resources.cpu?.realtimeRuntime == 9 && resources.cpu?.shares == 100)
    // What an update of the CRI's limits leaves of them.
    var update = RuntimeSpec.Resources()
    update.memory = .init(limit: 2 << 20)
    let updated = resources.updated(with: update)
    #expect(updated.memory?.reservation == 4096 && updated.memory?.limit == 2 << 20 && updated.blockIO == resources.blockIO)
  }

  @Test(arguments: [
    ("{", "not valid JSON"), ("{\"linux\": {\"seccomp\": {\"defaultAction\": \"x\"}}}", "linux.seccomp: defaultAction: \"x\""),
    ("{\"windows\": {}}", "windows"), ("{\"linux\": {\"resources\": {\"blockIO\": {\"wait\": 5}}}}", "linux.resources.blockIO.wait"),
    ("{\"process\": {\"capabilities\": {\"bounding\": [\"CAP_X\"]}}}", "process.capabilities.bounding: no capability"),
    ("{\"process\": {\"cwd\": \"x\"}}", "process.cwd: \"x\" is not absolute"),
    ("{\"mounts\": 1}", "mounts is not of type"),
    ("{\"mounts\": [{\"destination\": \"x\"}]}", "\"x\" is not absolute"),
    ("{\"process\": {\"rlimits\": [{\"type\": \"x\"}]}}", "rlimits[0]."),
    ("{\"process\": {\"apparmorProfile\": 1}}", "process.apparmorProfile is not of type"),
    ("{\"linux\": {\"timeOffsets\": {\"boottime\": {\"secs\": 5}}}}", "linux.timeOffsets"),
  ])
  func `a base spec with what cannot be honoured is refused by its name`(_ text: String, _ words: String) {
    let error = #expect(throws: DocumentError.self) { try BaseSpec.parse(Array(text.utf8)) }
    #expect(error?.reason.contains(words) == true, "\(error.map { "\($0)" } ?? "")")
  }
}
