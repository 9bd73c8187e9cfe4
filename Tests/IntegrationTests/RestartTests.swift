import CRIAPI
import Core
import Linux
import Testing

/// By each runtime: `kill -9` berthd under running pods, start it again: nobody notices.
@Suite(.serialized) struct RestartTests {
  @Test(arguments: RuntimeSuiteTests.runtimes) func `pods, containers, addresses and logs are those that were there`(_ runtime: String)
    async throws
  {
    try await Node.with(runtime: runtime) { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("steady"))
      let counter = try await node.launch("counter", ["/bin/sh", "-c", "i=0; while :; do echo $i; i=$((i+1)); done"], in: pod)
      let before = try await (node.status(pod: pod), node.status(container: counter))
      for _ in 0..<3 {
        try await Task.sleep(for: .milliseconds(100))
        try await node.restart()
      }
      let after = try await (node.status(pod: pod), node.status(container: counter))
      #expect(before.0 == after.0)
      #expect(before.1 == after.1)
      #expect(try await node.exec(counter, ["/bin/true"]).exitCode == 0)
      try await node.stop(container: counter, timeout: 0)
      let lines = try await node.log(counter, of: pod).split(separator: "\n").dropLast()
      for (number, line) in lines.enumerated() where line != "\(number)" {
        Issue.record("line \(number) is \(line)")
        break
      }
      #expect(lines.count > 1000)
    }
  }

  @Test(arguments: RuntimeSuiteTests.runtimes) func `a container that ended meanwhile shows its exit code and time`(_ runtime: String)
    async throws
  {
    try await Node.with(runtime: runtime) { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("meanwhile"))
      let container = try await node.launch("main", ["/bin/sh", "-c", "sleep 0.5; exit 42"], in: pod)
      try await node.kill()
      try await Task.sleep(for: .milliseconds(900))
      try await node.start()
      let status = try await node.ended(container)
      #expect(status.exitCode == 42)
      let age = SystemClock.realtimeNanoseconds() - status.finishedAt
      #expect(age > 300_000_000 && age < 60_000_000_000)
    }
  }

  @Test(arguments: RuntimeSuiteTests.runtimes) func `a shim that dies takes its containers along: Exited 255, ShimDied, NotReady`(
    _ runtime: String
  ) async throws {
    try await Node.with(runtime: runtime) { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("orphaned"))
      let container = try await node.launch("main", ["/bin/sleep", "1000"], in: pod)
      try await node.killShim(of: pod)
      let status = try await node.ended(container)
      #expect(status.exitCode == 255 && status.reason == "ShimDied")
      try await eventually("the pod is not ready") { try await node.status(pod: pod).state == .sandboxNotready ? true : nil }
      try await node.remove(pod: pod)
    }
  }

  @Test(arguments: RuntimeSuiteTests.runtimes) func `a shim that dies while berthd is down is noticed at the start`(_ runtime: String)
    async throws
  {
    try await Node.with(runtime: runtime) { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("both"))
      let container = try await node.launch("main", ["/bin/sleep", "1000"], in: pod)
      try await node.kill()
      try await node.killShim(of: pod)
      try await node.start()
      #expect(try await node.ended(container).reason == "ShimDied")
      try await eventually("the pod is not ready") { try await node.status(pod: pod).state == .sandboxNotready ? true : nil }
    }
  }

  @Test func `a shim that does not answer is not taken for a dead one, and calls on its pod wait for it`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("stuck"))
      let command = ["/bin/sh", "-c", "trap 'sleep 0.5; exit 3' TERM; echo ready; while :; do sleep 0.05; done"]
      let container = try await node.launch("main", command, in: pod)
      try await eventually("the trap is set") { try await node.log(container, of: pod) == "ready\n" ? true : nil }
      let shim = try Pidfd.open(try node.shimID(of: pod))
      try shim.signal(19)
      try await node.restart()
      async let stopped: Void = node.stop(container: container, timeout: 60)
      try await eventually("berthd asks again") { node.daemonLog().contains("it is asked again") ? true : nil }
      #expect(try await node.status(pod: pod).state == .sandboxReady)
      try shim.signal(18)
      try await stopped
      // The grace period was kept: the trap ran to its end.
      #expect(try await node.status(container: container).exitCode == 3)
      #expect(try await node.status(pod: pod).state == .sandboxReady)
    }
  }

  @Test func `a pod whose shim does not answer can be stopped and removed all the same`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("stuck"))
      let container = try await node.launch("main", ["/bin/sleep", "1000"], in: pod)
      try Pidfd.open(try node.shimID(of: pod)).signal(19)
      try await node.restart()
      try await node.stop(pod: pod)
      #expect(try await node.status(container: container).exitCode == 255)
      try await node.remove(pod: pod)
    }
  }

  @Test func `a pod whose namespaces lost their holder is not ready any more, and its containers end`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      for when in ["before a restart", "after one", "meanwhile"] {
        let pod = try await node.run(try node.podConfig("held-" + when.prefix(5)) { $0.metadata.uid = when })
        let container = try await node.launch("main", ["/bin/sleep", "1000"], in: pod)
        if when == "after one" { try await node.restart() }
        let holder = try Pidfd.open(try await node.holderID(of: pod))
        if when == "meanwhile" { try await node.kill() }
        try holder.signal(9)
        if when == "meanwhile" {
          await holder.ended()
          try await node.start()
        }
        let ended = try await node.ended(container)
        #expect(ended.exitCode == 137, "\(ended)")
        try await eventually("the pod is not ready") { try await node.status(pod: pod).state == .sandboxNotready ? true : nil }
        try await node.remove(pod: pod)
      }
    }
  }

  @Test func `a second daemon on the same root is refused and names the first`() async throws {
    try await Node.with { node in
      let output = try await Command.run(
        try Programs.path("berthd"), ["--root", node.root, "--state", node.scratch + "/other", "--address", node.scratch + "/other.sock"],
        timeout: .seconds(20))
      try? Mounts.unmountAll(below: node.scratch + "/other")
      #expect(!output.succeeded)
      let text = String(decoding: output.stderr, as: UTF8.self)
      #expect(text.contains("in use by process"), "\(text)")
    }
  }
}
