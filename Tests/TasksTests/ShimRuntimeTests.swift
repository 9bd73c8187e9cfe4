import Core
import Linux
import Support
import Testing

@testable import Tasks

/// On the real berth-shim and the real runc.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ShimRuntimeTests {
  @Test func theContractHolds() async throws {
    try await PodBench.run { bench in
      try await TaskRuntimeContract(bench).check()
      bench.removeAll()
    }
  }

  @Test func twentyPodsAtOnceAllRunAndEnd() async throws {
    try await PodBench.run { bench in
      try await withThrowingTaskGroup(of: Int32.self) { group in
        for index in 0..<20 {
          group.addTask {
            let plan = bench.sandbox { _ in }
            let pod = try await bench.runtime.start(plan)
            let container = try bench.container(.exits(Int32(index)), in: plan, pod)
            try await pod.create(container)
            _ = try await pod.start(container.id)
            let end = try await pod.wait(container.id)
            try await pod.delete(container.id)
            try await pod.shutdown()
            return end.exitCode
          }
        }
        var codes: [Int32] = []
        for try await code in group { codes.append(code) }
        #expect(codes.sorted() == Array(0..<20))
      }
      bench.removeAll()
    }
  }

  @Test func execGivesOutputCodeAndTimeout() async throws {
    try await PodBench.run { bench in
      try await bench.withRunning(["/bin/busybox", "sleep", "1000"]) { pod, _, id in
        func exec(_ script: String, timeout: Int64 = 0) async throws -> ExecResult {
          let process = RuntimeConfig.process(["/bin/busybox", "sh", "-c", script])
          return try await pod.execSync(ExecPlan(container: id, process: Array(process.utf8), timeout: timeout))
        }
        let result = try await exec("echo out; echo err >&2; exit 5")
        #expect(result == ExecResult(stdout: Array("out\n".utf8), stderr: Array("err\n".utf8), exitCode: 5, timedOut: false))
        let slow = try await exec("/bin/busybox sleep 1000", timeout: 200_000_000)
        #expect(slow.timedOut)
        let big = try await exec("/bin/busybox head -c 20000000 /dev/zero; echo err >&2; exit 3")
        #expect(big.stdout.count == (16 << 20) - 1024 && big.stderr.isEmpty && big.exitCode == 3)
        #expect(!big.timedOut)
      }
    }
  }

  @Test func theShimLivesInItsOwnGroupOfEveryHierarchy() async throws {
    try await PodBench.run { bench in
      let plan = bench.sandbox { _ in }
      let pod = try await bench.runtime.start(plan)
      let group = try Cgroup(plan.cgroup, in: bench.shims.cgroups)
      for directory in group.directories {
        let members = String(decoding: try Files.read(directory + "/cgroup.procs"), as: UTF8.self)
        #expect(Set(members.split(separator: "\n")) == ["\(pod.shimPID)", "\(pod.holderPID)"], "\(directory)")
      }
      try await pod.shutdown()
      bench.removeAll()
    }
  }

  @Test func aDirectoryLongerThanASocketAddressIsNoObstacle() async throws {
    try await PodBench.run { bench in
      let deep = "\(bench.scratch)/state/\(String(repeating: "d", count: 100))/\(String(repeating: "e", count: 100))"
      let plan = bench.sandbox { $0.directory = deep }
      let pod = try await bench.runtime.start(plan)
      #expect(try await pod.states().isEmpty)
      try await pod.shutdown()
      bench.removeAll()
    }
  }

  @Test func aLostConnectionIsMadeAgainAndWaitersDoNotNotice() async throws {
    try await PodBench.run { bench in
      try await bench.withRunning(["/bin/busybox", "sleep", "1000"]) { pod, _, id in
        let shim = try #require(pod as? ShimPod)
        async let end = pod.wait(id)
        try await Task.sleep(for: .milliseconds(50))
        try await shim.client.dropConnection()
        #expect(try await pod.states().count == 1)
        try await pod.kill(id, signal: 9, all: false)
        #expect(try await end.exitCode == 137)
      }
    }
  }

  @Test func aPodAdoptedByAnotherDaemonHasItsEnd() async throws {
    try await PodBench.run { bench in
      let plan = bench.sandbox { _ in }
      var (id, shim): (String, Int32)
      do {
        let pod = try await bench.runtime.start(plan)
        let container = try bench.container(
          in: plan, pod, ["/bin/busybox", "sh", "-c", "/bin/busybox usleep 300000; exit 9"])
        try await pod.create(container)
        _ = try await pod.start(container.id)
        (id, shim) = (container.id, pod.shimPID)
        try await (pod as? ShimPod)?.client.dropConnection()
      }
      let pod = try await bench.runtime.adopt(plan)
      #expect(pod.shimPID == shim)
      #expect(try await pod.wait(id).exitCode == 9)
      try await pod.delete(id)
      try await pod.shutdown()
      bench.removeAll()
    }
  }
}
