import ArgumentParser
import CRIAPI
import Core
import FoundationEssentials
import Linux
import Support
import SwiftProtobuf
import Testing

@testable import berth

@Suite struct RunTests {
  static func plan(_ directory: String) -> RunPlan { RunPlan(image: "busybox", name: "job", uid: "u1", logBase: directory) }

  /// A container that has written its log and ended.
  static func end(_ daemon: FakeDaemon, _ plan: RunPlan, code: Int32, log: String) {
    daemon.connection.on(.runtime("StartContainer")) { (_: Runtime_V1_StartContainerRequest) in
      try Files.write(log, to: plan.logPath)
      daemon.change { $0.container = .with { ($0.state, $0.exitCode) = (.containerExited, code) } }
      return [Runtime_V1_StartContainerResponse()]
    }
  }

  @Test func theContainersExitCodeIsOursAndNothingStays() async throws {
    try await withScratch { directory in
      let (daemon, plan) = (FakeDaemon(), Self.plan(directory + "/logs"))
      let captured = try CapturedConsole(directory)
      Self.end(daemon, plan, code: 7, log: LogTests.record("hello") + LogTests.record("oh", stream: "stderr"))
      let run = PodRun(runtime: daemon.runtime, plan: plan, console: captured.console, interruption: Interruption())
      #expect(try await run.run() == 7)
      #expect(captured.output == "hello\n")
      #expect(captured.errorOutput == "oh\n")
      #expect(daemon.state.pods.isEmpty)
      #expect(try Files.list(directory + "/logs") == [])
    }
  }

  @Test func aMissingImageIsPulled() async throws {
    try await withScratch { directory in
      let daemon = FakeDaemon()
      var plan = Self.plan(directory + "/logs")
      plan.image = "other"
      let captured = try CapturedConsole(directory)
      Self.end(daemon, plan, code: 0, log: "")
      let run = PodRun(runtime: daemon.runtime, plan: plan, console: captured.console, interruption: Interruption())
      #expect(try await run.run() == 0)
      #expect(daemon.state.created?.config.image.image == "sha256:other")
      #expect(captured.errorOutput.contains("docker.io/library/other: other"))
    }
  }

  @Test func aFailureCleansUpAndIsTold() async throws {
    try await withScratch { directory in
      let (daemon, plan) = (FakeDaemon(), Self.plan(directory + "/logs"))
      let captured = try CapturedConsole(directory)
      daemon.connection.on(.runtime("StartContainer")) { (_: Runtime_V1_StartContainerRequest) -> [Runtime_V1_StartContainerResponse] in
        throw Fault(.unknown, "container job: runc create: no such file")
      }
      let run = PodRun(runtime: daemon.runtime, plan: plan, console: captured.console, interruption: Interruption())
      await #expect { try await run.run() } throws: { Failure($0).message == "container job: runc create: no such file" }
      #expect(daemon.state.pods.isEmpty)
      #expect(try Files.list(directory + "/logs") == [])
    }
  }

  @Test func controlCStopsTheContainerAndCleansUp() async throws {
    try await withScratch { directory in
      let (daemon, plan) = (FakeDaemon(), Self.plan(directory + "/logs"))
      let captured = try CapturedConsole(directory)
      let interruption = Interruption()
      daemon.change { $0.container = .with { $0.state = .containerRunning } }
      daemon.connection.on(.runtime("StartContainer")) { (_: Runtime_V1_StartContainerRequest) in
        try Files.write("", to: plan.logPath)
        interruption.raise()
        return [Runtime_V1_StartContainerResponse()]
      }
      let run = PodRun(runtime: daemon.runtime, plan: plan, console: captured.console, interruption: interruption)
      #expect(try await run.run() == 130)
      #expect(daemon.state.pods.isEmpty)
      #expect(daemon.connection.calls.suffix(2) == ["StopPodSandbox", "RemovePodSandbox"])
    }
  }

  @Test func aPodMadeByACallThatFailedIsFoundByItsLabel() async throws {
    try await withScratch { directory in
      let (daemon, plan) = (FakeDaemon(), Self.plan(directory + "/logs"))
      let captured = try CapturedConsole(directory)
      daemon.connection.on(.runtime("RunPodSandbox")) { (request: Runtime_V1_RunPodSandboxRequest) -> [Runtime_V1_RunPodSandboxResponse] in
        daemon.change { $0.pods = [.with { ($0.id, $0.labels) = ("half", request.config.labels) }, .with { $0.id = "foreign" }] }
        throw Fault(.unavailable, "connection lost")
      }
      let run = PodRun(runtime: daemon.runtime, plan: plan, console: captured.console, interruption: Interruption())
      await #expect(throws: Fault.self) { try await run.run() }
      #expect(daemon.state.pods.map(\.id) == ["foreign"])
    }
  }

  @Test func detachedThePodStaysAndItsIdIsPrinted() async throws {
    try await withScratch { directory in
      let (daemon, plan) = (FakeDaemon(), Self.plan(directory + "/logs"))
      let captured = try CapturedConsole(directory)
      let run = PodRun(runtime: daemon.runtime, plan: plan, console: captured.console, interruption: Interruption(), detach: true)
      #expect(try await run.run() == 0)
      #expect(captured.output == "pod1\n")
      #expect(daemon.state.pods.count == 1)
    }
  }

  @Test func theCommandLineBecomesAPodWithOneContainer() throws {
    let arguments = [
      "--name", "web", "-e", "A=b=c", "-p", "127.0.0.1:8080:80", "-p", "[::1]:53:53/udp", "--mount", "/a:/b:ro", "--hostnetwork", "nginx",
      "sh", "-c",
      "x --name y",
    ]
    let plan = try Run.parse(arguments).plan()
    let sandbox = plan.sandbox
    #expect(sandbox.metadata.name == "web" && sandbox.metadata.uid == plan.uid && sandbox.hostname == "")
    #expect(sandbox.linux.securityContext.namespaceOptions.network == .node)
    #expect(sandbox.portMappings.map(\.hostIp) == ["127.0.0.1", "::1"])
    #expect(
      sandbox.portMappings[1].protocol == .udp && sandbox.portMappings[0].hostPort == 8080 && sandbox.portMappings[0].containerPort == 80)
    let config = plan.container(in: "p", image: .with { $0.id = "sha256:1" }).config
    #expect(config.args == ["sh", "-c", "x --name y"])
    #expect(config.envs == [.with { ($0.key, $0.value) = ("A", .init("b=c".utf8)) }])
    #expect(config.mounts == [.with { ($0.hostPath, $0.containerPath, $0.readonly) = ("/a", "/b", true) }])
    #expect(config.image.image == "sha256:1" && config.image.userSpecifiedImage == "nginx")
  }

  @Test(arguments: [["nginx", "--", "ls", "-l"], ["nginx", "ls", "-l"]])
  func aCommandStandsWithOrWithoutADash(arguments: [String]) throws {
    #expect(try Run.parse(arguments).plan().command == ["ls", "-l"])
  }

  @Test(arguments: [
    (["--address", "/s", "pods", "-q"], ["pods", "--address", "/s", "-q"]), (["--address=/s", "pods"], ["pods", "--address=/s"]),
    (["pods", "--address", "/s"], ["pods", "--address", "/s"]), (["--address"], ["--address"]),
    (["--address", "a", "images", "ls", "busybox"], ["images", "ls", "--address", "a", "busybox"]),
    (["--address=a", "images", "rm", "x"], ["images", "rm", "--address=a", "x"]),
    (["--address", "a", "images", "busybox"], ["images", "--address", "a", "busybox"]),
  ]) func theAddressMayStandBeforeTheCommand(given: [String], moved: [String]) { #expect(GlobalOptions.moved(given) == moved) }

  @Test(arguments: ["80", "0:80", "80:65536", "80:80/icmp", "a:80", "80:80/tcp/udp", ""])
  func whatIsNoPortIsRefused(text: String) { #expect(PortArgument(argument: text) == nil) }

  @Test(arguments: ["/a", "a:/b", "/a:b", "/a:/b:x", "/a:/b:ro:z", ""])
  func whatIsNoMountIsRefused(text: String) { #expect(MountArgument(argument: text) == nil) }
}
