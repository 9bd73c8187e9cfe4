import CRIAPI
import Core
import OCI
import Spec
import Testing

/// What systemd gets as a container's init, and what it is told of containers it makes scopes for.
struct SystemdSpecTests {
  private func build(_ program: String, _ change: (inout SpecInputs) -> Void = { _ in }) throws -> BuiltSpec {
    var inputs = SpecFixture.inputs()
    inputs.container.command = [program]
    change(&inputs)
    return try makeSpec(inputs)
  }

  @Test(arguments: ["/usr/lib/systemd/systemd", "systemd", "/sbin/init", "/usr/sbin/init"])
  func `systemd has places to write to, cgroups to divide, and knows that it is in a container`(_ program: String) throws {
    let spec = try build(program).spec
    let places = ["/run", "/run/lock", "/tmp", "/var/log/journal"]
    let mounts = spec.mounts.filter { places.contains($0.destination) }
    #expect(mounts.map(\.destination) == places && mounts.allSatisfy { $0.type == "tmpfs" && $0.options?.contains("tmpcopyup") == true })
    #expect(spec.mounts.first { $0.destination == "/sys/fs/cgroup" }?.options?.contains("rw") == true)
    #expect(spec.process.env.contains("container=oci"))
  }

  @Test func `what the config mounts there stays, and so does what the image says`() throws {
    let spec = try build("/sbin/init") {
      $0.mount("/srv/run", "/run/")
      $0.node.defaults.isReadonly = true
      $0.image.config.env = ["container=mine"]
    }.spec
    #expect(spec.mounts.filter { $0.destination == "/run" }.map(\.type) == ["bind"])
    #expect(spec.mounts.filter { $0.destination == "/tmp" }.count == 1)
    #expect(spec.process.env.contains("container=mine") && !spec.process.env.contains("container=oci"))
  }

  @Test func `on cgroup v1 cgroups stay read-only, and a warning says what is missing`() throws {
    let built = try build("/sbin/init") { $0.node.cgroupVersion = .v1 }
    #expect(built.spec.mounts.first { $0.destination == "/sys/fs/cgroup" }?.options?.contains("ro") == true)
    #expect(built.warnings.contains { $0.contains("cgroup v2") })
  }

  @Test(arguments: ["/bin/sh", "/opt/systemd-run", "/systemd/x", "/sbin/initialize"]) func `other programs get nothing of it`(
    _ program: String
  ) throws {
    let spec = try build(program).spec
    #expect(spec.mounts == (try SpecFixture.build().mounts) && !spec.process.env.contains("container=oci"))
  }

  @Test func `systemd is stopped by SIGRTMIN+3, another init by SIGTERM, each by what config or image say instead`() throws {
    #expect(try build("/usr/lib/systemd/systemd").stopSignal == 37)
    #expect(try build("/sbin/init").stopSignal == 15)
    #expect(try build("/sbin/init") { $0.lookups.imageFile = { $0 == "/lib/systemd/systemd" ? [] : nil } }.stopSignal == 37)
    #expect(try build("systemd") { $0.image.config.stopSignal = "SIGINT" }.stopSignal == 2)
    #expect(try build("systemd") { $0.container.stopSignal = .sigusr1 }.stopSignal == 10)
    #expect(try build("/bin/sh").stopSignal == 15)
  }

  @Test func `a scope ends before berthd, and in the time that its pod has for it`() throws {
    func properties(_ driver: CgroupDriver, _ seconds: String? = nil) throws -> [String: String] {
      let annotations =
        try SpecFixture.build {
          $0.node.cgroupDriver = driver
          $0.sandbox.linux.cgroupParent = driver == .systemd ? "kubepods.slice" : "/x"
          if let seconds { $0.container.annotations["io.kubernetes.pod.terminationGracePeriod"] = seconds }
        }.annotations ?? [:]
      return annotations.filter { $0.key.hasPrefix("org.systemd.") }
    }
    #expect(try properties(.cgroupfs, "30").isEmpty)
    let prefix = "org.systemd.property."
    let usual = [prefix + "DefaultDependencies": "true", prefix + "After": "['berthd.service']"]
    #expect(try properties(.systemd) == usual)
    #expect(try properties(.systemd, "30") == usual.merging([prefix + "TimeoutStopUSec": "uint64 30000000"]) { $1 })
    #expect(try properties(.systemd, "30 uint64") == usual)
  }
}
