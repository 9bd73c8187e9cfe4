import CRIAPI
import Core
import Linux
import OCI
import Spec
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
     "process": {"terminal": false, "user": {"uid": 5, "gid": 5}, "args": ["sh"], "cwd": "/x", "env": ["PATH=/x", "FROM_BASE=1", "HOME=/b"],
       "capabilities": {"bounding": ["CAP_SYS_ADMIN"]}, "noNewPrivileges": true,
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
    #expect(spec.process.user == plain.process.user && spec.process.args == plain.process.args && spec.process.cwd == "/")
    #expect(spec.process.capabilities == plain.process.capabilities && spec.process.noNewPrivileges == nil)
    #expect(spec.mounts.filter { !plain.mounts.contains($0) }.map(\.destination) == ["/cache"])
    #expect(spec.hooks?.poststop == [RuntimeSpec.Hook(path: "/bin/bye")])
    #expect(spec.annotations?["base"] == "yes" && spec.annotations?["io.kubernetes.cri.container-name"] == "main")
    #expect(spec.linux.sysctl == ["net.core.somaxconn": "99"] && spec.linux.devices?.map(\.path) == ["/dev/fuse"])
    let resources = spec.linux.resources
    #expect(resources?.pids?.limit == 99 && resources?.cpu?.shares == 100 && resources?.cpu?.cpus == "0" && resources?.memory?.limit == 5)
    let rules = (plain.linux.resources?.devices ?? []) + [.init(allow: true, type: "c", major: 10, minor: 229, access: "rw")]
    #expect(resources?.devices == rules && spec.linux.namespaces == plain.linux.namespaces && spec.linux.maskedPaths == nil)
  }

  @Test(arguments: [
    ("{", "not valid JSON"), ("{\"linux\": {\"seccomp\": {\"defaultAction\": \"x\"}}}", "linux.seccomp"), ("{\"windows\": {}}", "windows"),
    ("{\"linux\": {\"resources\": {\"blockIO\": {\"weight\": 5}}}}", "linux.resources.blockIO"),
    ("{\"mounts\": 1}", "mounts is not of type"),
    ("{\"mounts\": [{\"destination\": \"x\"}]}", "\"x\" is not absolute"),
    ("{\"process\": {\"rlimits\": [{\"type\": \"x\"}]}}", "rlimits[0]."),
    ("{\"process\": {\"apparmorProfile\": \"x\"}}", "process.apparmorProfile"),
  ])
  func `a base spec with what cannot be honoured is refused by its name`(_ text: String, _ words: String) {
    let error = #expect(throws: DocumentError.self) { try BaseSpec.parse(Array(text.utf8)) }
    #expect(error?.reason.contains(words) == true, "\(error.map { "\($0)" } ?? "")")
  }
}
