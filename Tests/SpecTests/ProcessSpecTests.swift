import CRIAPI
import Core
import Linux
import OCI
import Spec
import Testing

struct ProcessSpecTests {
  @Test(arguments: [
    (["e"], ["c"], [], [], ["e", "c"]),
    (["e"], ["c"], ["x"], [], ["x"]),
    (["e"], ["c"], [], ["a"], ["e", "a"]),
    (["e"], ["c"], ["x"], ["a"], ["x", "a"]),
    ([], ["c", "d"], [], [], ["c", "d"]),
    ([""], ["c"], [], [], ["c"]),
    ([], [], [], ["a"], ["a"]),
  ])
  func commandAndArgsReplaceEntrypointAndCmd(entrypoint: [String], cmd: [String], command: [String], args: [String], result: [String])
    throws
  {
    var image = ImageConfig()
    image.config.entrypoint = entrypoint
    image.config.cmd = cmd
    #expect(try ContainerCommand.resolve(command: command, args: args, image: image) == result)
  }

  @Test func nothingToRunIsAnError() {
    let fault = SpecFixture.fault { $0.image = ImageConfig() }
    #expect(fault == (.invalidArgument, "no command specified"))
  }

  @Test func theCRIsEnvironmentWinsOverTheImagesAndKeepsItsPlace() throws {
    let spec = try SpecFixture.build {
      $0.image.config.env = ["PATH=/bin", "A=image", "GONE=1", "GONE", "B=image"]
      $0.setEnvironment(["A": "cri", "C": "x=y", "A": "last"])
      $0.container.tty = true
    }
    #expect(spec.process.env == ["PATH=/bin", "TERM=xterm", "HOSTNAME=web", "A=last", "B=image", "C=x=y"])
    #expect(spec.process.terminal == true)
  }

  @Test func aPodOnTheHostsNetworkHasTheHostsName() throws {
    let spec = try SpecFixture.build {
      $0.pod.utsNamespace = nil
      $0.node.hostname = "node-1"
    }
    #expect(spec.process.env.contains("HOSTNAME=node-1"))
  }

  @Test func theWorkingDirectoryIsAbsolute() throws {
    #expect(try SpecFixture.build().process.cwd == "/")
    #expect(try SpecFixture.build { $0.image.config.workingDir = "srv" }.process.cwd == "/srv")
    #expect(
      try SpecFixture.build {
        $0.image.config.workingDir = "/srv"
        $0.container.workingDir = "/data"
      }.process.cwd == "/data")
  }

  @Test func theOOMScoreIsClampedToWhatTheDaemonMaySet() throws {
    #expect(try SpecFixture.build().process.oomScoreAdj == 0)
    let guaranteed: (inout SpecInputs) -> Void = { $0.container.linux.resources.oomScoreAdj = -997 }
    #expect(try SpecFixture.build(guaranteed).process.oomScoreAdj == -997)
    #expect(
      try SpecFixture.build {
        guaranteed(&$0)
        $0.node.minimumOOMScore = -10
      }.process.oomScoreAdj == -10)
  }

  @Test func anExecIsTheContainersProcessWithAnotherCommand() throws {
    let base = try SpecFixture.build { $0.runAs(1000) }.process
    let exec = try ExecProcess.make(base: base, command: ["ls"], tty: true)
    #expect(exec.args == ["ls"])
    #expect(exec.user == base.user)
    #expect(exec.capabilities == base.capabilities)
    #expect(exec.env == base.env + ["TERM=xterm"])
    #expect(exec.terminal == true)
    #expect(throws: Fault.self) { try ExecProcess.make(base: base, command: [], tty: false) }
    #expect(throws: Fault.self) { try ExecProcess.make(base: base, command: ["a\0b"], tty: false) }
  }

  @Test func theStopSignalIsTheCRIsThenTheImagesThenTERM() throws {
    func stop(_ change: (inout SpecInputs) -> Void) throws -> BuiltSpec { try makeSpec(SpecFixture.inputs(change)) }
    #expect(try stop { _ in }.stopSignal == 15)
    #expect(try stop { $0.image.config.stopSignal = "SIGQUIT" }.stopSignal == 3)
    let both = try stop {
      $0.image.config.stopSignal = "SIGQUIT"
      $0.container.stopSignal = .sigrtmaxminus14
    }
    #expect(both.stopSignal == 50)
    let bad = try stop { $0.image.config.stopSignal = "SIGFOO" }
    #expect(bad.stopSignal == 15 && bad.warnings.count == 1)
  }

  @Test func everySignalOfTheCRIHasItsNumber() {
    #expect(StopSignal.number(of: .sigabrt) == 6 && StopSignal.number(of: .sigxfsz) == 25)
    #expect(
      StopSignal.number(of: .sigrtmin) == 34 && StopSignal.number(of: .sigrtminplus15) == 49 && StopSignal.number(of: .sigrtmax) == 64)
    for signal in Runtime_V1_Signal.allCases where signal != .runtimeDefault {
      let number = StopSignal.number(of: signal)
      #expect(number.map { StopSignal.number(of: StopSignal.message(for: $0)) } == number && number != nil)
    }
  }

  @Test func whoIsNotMappedInThePodsUserNamespaceIsNamed() {
    let cases: [((inout Runtime_V1_LinuxContainerSecurityContext) -> Void, String)] = [
      ({ $0.runAsUser.value = 0 }, "no fault"),
      ({ $0.runAsUser.value = 5000 }, "run_as_user: 5000 is not mapped in the pod's user namespace"),
      ({ ($0.runAsUser.value, $0.runAsGroup.value) = (0, 7000) }, "run_as_group: 7000 is not mapped in the pod's user namespace"),
      ({ $0.supplementalGroups = [5, 8000] }, "supplemental_groups: 8000 is not mapped in the pod's user namespace"),
      ({ $0.runAsUsername = "app" }, "groups of the image's user: 29 is not mapped in the pod's user namespace"),
    ]
    let groups = [IDRange(inside: 0, outside: 1 << 16, count: 29), IDRange(inside: 30, outside: 1 << 17, count: 1000)]
    let maps = IDMaps(users: [IDRange(inside: 0, outside: 1 << 16, count: 2000)], groups: groups)
    for (change, message) in cases {
      let fault = SpecFixture.fault {
        $0.pod.userNamespace = UserNamespace(path: "/proc/7/ns/user", maps: maps)
        change(&$0.container.linux.securityContext)
      }
      #expect(fault.message == message)
    }
  }

  @Test func aWordOfTheImageThatTheKernelDoesNotTakeIsFound() {
    let long = String(repeating: "a", count: 131_072)
    #expect(
      SpecFixture.fault { $0.image.config.cmd = [long] } == (
        .invalidArgument, "the image's command: 131072 bytes, the kernel takes at most 131071"
      ))
  }

  @Test func aNULByteOfTheImageIsFound() {
    #expect(SpecFixture.fault { $0.image.config.env = ["A=\0"] } == (.invalidArgument, "the image's environment has a NUL byte"))
    #expect(SpecFixture.fault { $0.image.config.cmd = ["a\0"] }.message == "the image's command has a NUL byte")
  }

  @Test func monitoringFindsItsAnnotations() throws {
    let annotations = try SpecFixture.build().annotations
    #expect(annotations?["io.kubernetes.cri.container-type"] == "container")
    #expect(annotations?["io.kubernetes.cri.sandbox-name"] == "web")
    #expect(annotations?["io.kubernetes.cri.image-name"] == "docker.io/library/busybox:latest")
  }

  @Test func equalInputsAreEqualBytesAndReadBack() throws {
    let spec = try SpecFixture.build()
    #expect(try spec.encoded == SpecFixture.build().encoded)
    #expect(try RuntimeSpec.parse(spec.encoded) == spec)
  }
}
