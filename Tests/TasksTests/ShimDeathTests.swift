import Core
import Linux
import Support
import Testing

@testable import Tasks

/// A shim that dies, hangs or was never there: everything is cleared up, and what is known of its containers stays known.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ShimDeathTests {
  @Test func killedWithRunningContainersItIsReapedWithoutRemains() async throws {
    try await PodBench.run { bench in
      let plan = bench.sandbox { _ in }
      let pod = try await bench.runtime.start(plan)
      let ended = try bench.container(.exits(4), in: plan, pod)
      let running = try bench.container(
        in: plan, pod, ["/bin/busybox", "sh", "-c", "/bin/busybox sleep 1000 & /bin/busybox sleep 1000"])
      let created = try bench.container(.sleeps, in: plan, pod)
      for container in [ended, running, created] { try await pod.create(container) }
      for container in [ended, running] { _ = try await pod.start(container.id) }
      _ = try await pod.wait(ended.id)
      let waiter = Task { try await pod.wait(running.id) }
      try Pidfd.open(pod.shimPID).signal(9)
      await pod.awaitDeath()
      #expect(try await pod.wait(ended.id).exitCode == 4)
      #expect(await code { _ = try await waiter.value } == .unavailable)
      #expect(await code { _ = try await pod.states() } == .unavailable)
      #expect(await code { try await pod.kill(running.id, signal: 9, all: true) } == .unavailable)
      #expect(await code { _ = try await bench.runtime.adopt(plan) } == .notFound)
      try await bench.runtime.reap(plan, containers: [ended, running, created])
      bench.removeAll()
    }
  }

  @Test func stoppedItIsKilledByReaping() async throws {
    var limits = ShimLimits()
    limits.quick = .milliseconds(200)
    try await PodBench.run(limits: limits) { bench in
      let plan = bench.sandbox { _ in }
      let pod = try await bench.runtime.start(plan)
      try Pidfd.open(pod.shimPID).signal(19)
      #expect(await code { _ = try await pod.states() } == .deadlineExceeded)
      try await bench.runtime.reap(plan, containers: [])
      await pod.awaitDeath()
      bench.removeAll()
    }
  }

  @Test func aNumberThatPassedToAnotherProcessIsNotTouched() async throws {
    try await PodBench.run { bench in
      let plan = bench.sandbox { _ in }
      let stranger = try await BlockingWork.run { try Spawn("/bin/sleep", ["1000"], descriptors: [-1, -1, -1]).start() }
      try Files.makeDirectories(plan.directory)
      try ShimState(pid: stranger.pid, startTime: 1, holder: 0, cgroups: []).save(ShimFiles(directory: plan.directory))
      #expect(await code { _ = try await bench.runtime.adopt(plan) } == .notFound)
      try await bench.runtime.reap(plan, containers: [])
      #expect(!stranger.hasEnded)
      stranger.kill()
      await stranger.ended()
      _ = try stranger.reap()
      bench.removeAll()
    }
  }

  @Test(
    "a shim that does not come up leaves nothing, and its last words are told",
    arguments: [
      ("echo no luck today >&2; exit 3", "no luck today"),
      ("exit 0", "the shim"),
      ("sleep 1000 & sleep 1000", "no answer in time"),
      ("trap '' TERM; (trap '' TERM; setsid sleep 1000) & sleep 1000", "no answer in time"),
    ])
  func doesNotComeUp(_ script: String, _ words: String) async throws {
    var limits = ShimLimits()
    limits.setup = .milliseconds(300)
    try await withScratch("shim") { folder in
      try Files.write("#!/bin/sh\n\(script)\n", to: folder + "/shim", mode: 0o755)
      try await PodBench.run(shim: folder + "/shim", limits: limits) { bench in
        let message = await fault { _ = try await bench.runtime.start(bench.sandbox { _ in }) }?.message ?? ""
        #expect(message.contains(words), "\(message)")
      }
    }
  }

  @Test func aMissingProgramIsNamed() async throws {
    try await PodBench.run(shim: "/no/such/shim") { bench in
      let fault = await fault { _ = try await bench.runtime.start(bench.sandbox { _ in }) }
      #expect(fault?.message == "shim: execve /no/such/shim: No such file or directory")
      #expect(fault?.code == .internal)
    }
  }

  @Test func aSetUpThatIsRefusedLeavesNothing() async throws {
    try await PodBench.run { bench in
      let plan = bench.sandbox { $0.sysctls = ["net.ipv4.no_such_thing": "1"] }
      let fault = await fault { _ = try await bench.runtime.start(plan) }
      #expect(fault?.code == .invalidArgument)
      #expect(fault?.message.contains("setup: sysctls: net.ipv4.no_such_thing") == true, "\(fault?.message ?? "")")
    }
  }

  @Test func badPlansAreRefusedBeforeAnythingIsMade() async throws {
    try await PodBench.run { bench in
      for cgroup in ["", "/", "relative", "/a/../b", "//", "/a//b"] {
        let plan = bench.sandbox { $0.cgroup = cgroup }
        #expect(await code { _ = try await bench.runtime.start(plan) } == .invalidArgument, "\(cgroup)")
      }
      let relative = bench.sandbox { $0.directory = "some/where" }
      #expect(await code { _ = try await bench.runtime.start(relative) } == .invalidArgument)
    }
  }

  @Test func asSecondStartOfOneSandboxLeavesTheFirstAlone() async throws {
    try await PodBench.run { bench in
      let plan = bench.sandbox { _ in }
      let pod = try await bench.runtime.start(plan)
      #expect(await code { _ = try await bench.runtime.start(plan) } == .alreadyExists)
      #expect(try await pod.states().isEmpty)
      try await pod.shutdown()
      bench.removeAll()
    }
  }

  @Test func aCancelledStartLeavesNothing() async throws {
    try await PodBench.run { bench in
      for delay in [0, 1, 3, 6, 12] {
        let plan = bench.sandbox { _ in }
        let start = Task { try await bench.runtime.start(plan) }
        try await Task.sleep(for: .milliseconds(delay))
        start.cancel()
        if let pod = try? await start.value { try await pod.shutdown() }
        Scratch.remove(plan.directory)
      }
    }
  }
}

/// The fault that `body` ends with.
func fault(_ body: () async throws -> Void) async -> Fault? {
  do {
    try await body()
    return nil
  } catch {
    return Fault(error)
  }
}

func code(_ body: () async throws -> Void) async -> Fault.Code? { await fault(body)?.code }
