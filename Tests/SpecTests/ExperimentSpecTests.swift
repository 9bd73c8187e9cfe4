import CRIAPI
import Core
import Linux
import OCI
import Spec
import Testing

/// What experimental annotations change in a spec, where they are allowed.
struct ExperimentSpecTests {
  private func build(_ annotations: [String: String], _ change: (inout SpecInputs) -> Void = { _ in }) throws -> BuiltSpec {
    var inputs = SpecFixture.inputs()
    inputs.allowed = try AllowedAnnotations(ExperimentalAnnotation.allCases.map(\.rawValue))
    inputs.sandbox.annotations = annotations
    change(&inputs)
    return try makeSpec(inputs)
  }

  @Test func `a umask is the container's own, else what its pod says of it, else the pod's`() throws {
    #expect(try build([:]).spec.process.user.umask == nil)
    #expect(try build(["umask.crio.io": "027"]).spec.process.user.umask == 0o27)
    #expect(try build(["umask.crio.io": "027", "umask.crio.io/main": "077"]).spec.process.user.umask == 0o77)
    let own = try build(["umask.crio.io": "027"]) { $0.container.annotations = ["io.kubernetes.cri-o.umask": "7777"] }
    #expect(own.spec.process.user.umask == 0o7777)
  }

  @Test(arguments: ["", "8", "00022", "+22", "-1", "0x1", "２２"])
  func `a umask that is none is refused with its annotation`(_ text: String) {
    let fault = #expect(throws: Fault.self) { try build(["umask.crio.io": text]) }
    #expect(fault?.code == .invalidArgument && fault?.message.contains("annotations[\"umask.crio.io\"]: \"\(text)\"") == true)
  }

  @Test func `an annotation that is not allowed has no effect, and a warning says so of a container's own`() throws {
    let built = try build(["umask.crio.io": "nonsense"]) {
      $0.allowed = AllowedAnnotations()
      $0.container.annotations = ["io.kubernetes.cri-o.umask": "nonsense", "other": "x"]
    }
    #expect(built.spec.process.user.umask == nil)
    #expect(built.warnings == ["annotation io.kubernetes.cri-o.umask is ignored: its runtime handler does not allow it"])
  }

  @Test func `files of cgroup v2 come over the config's, in base64 or as they are`() throws {
    let annotation = "memory.high=MTAwMDA=;pids.max=1000;cpu.weight=max"
    let spec = try build(["unified-cgroup.crio.io/main": annotation, "unified-cgroup.crio.io": "io.weight=1"]) {
      $0.container.linux.resources.unified = ["memory.high": "5", "memory.low": "6"]
    }.spec
    #expect(
      spec.linux.resources?.unified == ["memory.high": "10000", "memory.low": "6", "pids.max": "1000", "cpu.weight": "max"])
    let fault = #expect(throws: Fault.self) {
      try build(["unified-cgroup.crio.io": "memory.high=1"]) { $0.node.cgroupVersion = .v1 }
    }
    #expect(fault?.code == .failedPrecondition && fault?.message.contains("needs cgroup v2") == true)
  }

  @Test(arguments: ["=1", "memory.high", "a/b.c=1", "nodot=1"])
  func `what is no file of a cgroup is refused with the annotation`(_ text: String) {
    let fault = #expect(throws: Fault.self) { try build(["unified-cgroup.crio.io": text]) }
    #expect(fault?.code == .invalidArgument && fault?.message.hasPrefix("annotations[\"unified-cgroup.crio.io\"]") == true)
  }

  @Test func `devices that the node allows are given, with the rights that are asked for`() throws {
    let fuse: @Sendable (String) throws -> [DeviceNode] = { path in
      guard ["/dev/fuse", "/dev/net/tun"].contains(path) else { throw SystemError(2, call: "stat", object: path) }
      return [DeviceNode(path: path, kind: .character, major: 10, minor: path == "/dev/fuse" ? 229 : 200, mode: 0o666)]
    }
    let spec = try build(["devices.crio.io": "/dev/fuse:/dev/other:r,/dev/net/tun:rw,"]) {
      $0.lookups.devices = fuse
      $0.node.defaults.allowedDevices = ["/dev/fuse", "/dev/net/tun"]
    }.spec
    #expect(spec.linux.devices?.map(\.path) == ["/dev/other", "/dev/net/tun"])
    let rules = spec.linux.resources?.devices ?? []
    #expect(rules.contains(.init(allow: true, type: "c", major: 10, minor: 229, access: "r")))
    #expect(rules.contains(.init(allow: true, type: "c", major: 10, minor: 200, access: "rw")))
  }

  @Test(arguments: [
    ("/dev/sda", "allowed_devices"), ("/dev/fuse/../sda", "allowed_devices"), ("/dev/fuse:/etc/passwd", "not below /dev"),
    ("/dev/fuse:/dev/../etc/x", "not below /dev"), ("/dev/fuse:x", "rwm"), ("fuse", "\"fuse\""), ("/dev/fuse", "/dev/fuse"),
  ])
  func `a device that cannot be given is refused with the annotation`(_ text: String, _ words: String) {
    let fault = #expect(throws: Fault.self) {
      try build(["devices.crio.io": text]) { $0.node.defaults.allowedDevices = ["/dev/fuse"] }
    }
    #expect(
      fault?.message.hasPrefix("annotations[\"devices.crio.io\"]") == true && fault?.message.contains(words) == true,
      "\(fault?.message ?? "")")
  }

  @Test func `cgroups are writable by annotation, on cgroup v2 only`() throws {
    func isWritable(_ value: String, _ version: NodeFacts.CgroupVersion) throws -> Bool? {
      try build(["cgroup2-mount-hierarchy-rw.crio.io": value]) { $0.node.cgroupVersion = version }
        .spec.mounts.first { $0.destination == "/sys/fs/cgroup" }?.options?.contains("rw")
    }
    #expect(try isWritable("true", .v2) == true && isWritable("false", .v2) == false && isWritable("true", .v1) == false)
  }
}
