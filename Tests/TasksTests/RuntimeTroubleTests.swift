import Core
import Linux
import Support
import Testing

@testable import Tasks

/// An OCI runtime that fails or hangs on its Nth call: the shim goes on, and in the end nothing is left.
@Suite(.serialized, .timeLimit(.minutes(5))) struct RuntimeTroubleTests {
  /// A stand-in that counts its calls; the Nth does `trouble` instead of runc's work.
  private func standIn(_ folder: String, on call: Int, _ trouble: String) throws -> String {
    let script = """
      #!/bin/sh
      n=$(cat \(folder)/count 2>/dev/null || echo 0); n=$((n+1)); echo $n > \(folder)/count
      [ $n = \(call) ] && { \(trouble); }
      exec /usr/sbin/runc "$@"
      """
    try Files.write(script, to: folder + "/runc", mode: 0o755)
    return folder + "/runc"
  }

  @Test("failing", arguments: 1...3) func fails(on call: Int) async throws {
    try await whole(call, "echo broken >&2; exit 1")
  }

  @Test("killed by a signal", arguments: 1...3) func dies(on call: Int) async throws {
    try await whole(call, "kill -9 $$")
  }

  @Test("doing its work and failing all the same", arguments: 1...3) func lies(on call: Int) async throws {
    try await whole(call, #"/usr/sbin/runc "$@"; exit 1"#)
  }

  /// A whole life; whatever of it fails, the sandbox can be reaped.
  private func whole(_ call: Int, _ trouble: String) async throws {
    try await withScratch("runc") { folder in
      try await PodBench.run(runc: try standIn(folder, on: call, trouble)) { bench in
        let plan = bench.sandbox { _ in }
        let pod = try await bench.runtime.start(plan)
        let container = try bench.container(.exits(0), in: plan, pod)
        let failure = await fault {
          try await pod.create(container)
          _ = try await pod.start(container.id)
        }
        #expect((failure == nil) == (call > 2), "\(failure?.message ?? "no error")")
        let end = try await pod.wait(container.id)
        #expect(end.exitCode == (call > 2 ? 0 : 128))
        try await pod.delete(container.id)
        try await pod.shutdown()
        bench.removeAll()
      }
    }
  }

  @Test("hanging", arguments: 1...3) func hangs(on call: Int) async throws {
    var limits = ShimLimits()
    limits.runtime = .milliseconds(500)
    limits.forcedDelete = .milliseconds(300)
    try await withScratch("runc") { folder in
      try await PodBench.run(runc: try standIn(folder, on: call, "sleep 1000"), limits: limits) { bench in
        let plan = bench.sandbox { _ in }
        let pod = try await bench.runtime.start(plan)
        let container = try bench.container(.sleeps, in: plan, pod)
        _ = await fault {
          try await pod.create(container)
          _ = try await pod.start(container.id)
          try await pod.kill(container.id, signal: 9, all: true)
          try await pod.delete(container.id)
        }
        try await bench.runtime.reap(plan, containers: [container])
        await pod.awaitDeath()
        bench.removeAll()
      }
    }
  }

  @Test func `a create that takes longer than other calls may is started all the same`() async throws {
    var limits = ShimLimits()
    limits.runtime = .milliseconds(300)
    try await withScratch("runc") { folder in
      try await PodBench.run(runc: try standIn(folder, on: 1, "sleep 1"), limits: limits) { bench in
        let plan = bench.sandbox { _ in }
        let pod = try await bench.runtime.start(plan)
        var container = try bench.container(.sleeps, in: plan, pod)
        container.creation = CreationSettings(limit: 10_000, options: [])
        try await pod.create(container)
        #expect(try await pod.start(container.id).phase == .running)
        try await bench.runtime.reap(plan, containers: [container])
        await pod.awaitDeath()
        bench.removeAll()
      }
    }
  }

  @Test func aMissingRuntimeIsNamedAndReapedWithout() async throws {
    try await PodBench.run(runc: "/no/such/runc") { bench in
      let plan = bench.sandbox { _ in }
      let pod = try await bench.runtime.start(plan)
      let container = try bench.container(.sleeps, in: plan, pod)
      try await pod.create(container)
      let failure = await fault { _ = try await pod.start(container.id) }
      #expect(failure?.message.contains("/no/such/runc") == true, "\(failure?.message ?? "no error")")
      try await bench.runtime.reap(plan, containers: [container])
      bench.removeAll()
    }
  }
}
