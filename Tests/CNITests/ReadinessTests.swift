import Core
import Linux
import Support
import Testing

@testable import CNI

struct ReadinessTests {
  private func with(_ body: (FakePlugins) async throws -> Void) async throws {
    try await withScratch("cni-ready") { try await body(FakePlugins($0)) }
  }

  @Test func `a pod waits for a configuration that comes, and for its plugins`() async throws {
    try await with { plugins in
      let network = try plugins.network { $0.readyLimit = .seconds(30) }
      async let attached = network.attach(attachment())
      try plugins.configure(#"{"cniVersion":"1.0.0","name":"late","plugins":[{"type":"late"}]}"#)
      try await Task.sleep(for: .milliseconds(20))
      try plugins.install("late")
      #expect(try await attached.addresses == ["10.9.0.3"])
      await network.close()
    }
  }

  @Test func `what does not come in time is said, with the time that it was waited for`() async throws {
    try await with { plugins in
      let network = try plugins.network { $0.readyLimit = .milliseconds(1) }
      let error = await #expect(throws: Fault.self) { try await network.attach(attachment()) }
      #expect(error?.code == .failedPrecondition)
      #expect(error?.message == "network: no network configuration in \(plugins.directory)/conf; waited 0 s for it")
      try plugins.configure(#"{"cniVersion":"1.0.0","name":"x","plugins":[{"type":"missing"}]}"#)
      let missing = await #expect(throws: Fault.self) { try await network.attach(attachment()) }
      #expect(missing?.message.contains("plugin \"missing\": not found in") == true)
      #expect(try network.attachments() == [])
      await network.close()
    }
  }

  @Test func `who is cancelled does not wait on`() async throws {
    try await with { plugins in
      let network = try plugins.network { $0.readyLimit = .seconds(3600) }
      let waiting = Task { try await network.attach(attachment()) }
      waiting.cancel()
      let error = await #expect(throws: Fault.self) { try await waiting.value }
      #expect(error?.code == .cancelled)
      await network.close()
    }
  }

  @Test func `a network that has worked may fail its STATUS for a while`() async throws {
    try await with { plugins in
      try plugins.configure(plugins: ["agent"], version: "1.1.0")
      try plugins.plan("agent", "STATUS", ["ok", "again", "again"])
      let patient = try plugins.network { $0.statusGrace = .seconds(3600) }
      try await patient.status()
      try await patient.status()
      await patient.close()
      let fresh = try plugins.network { $0.statusGrace = .seconds(3600) }
      await #expect(throws: Fault.self) { try await fresh.status() }
      await fresh.close()
    }
  }

  @Test func `a grace period ends`() {
    let (grace, now) = (StatusGrace(.seconds(10)), ContinuousClock.now)
    #expect(!grace.covers(now))
    grace.note(now)
    #expect(grace.covers(now + .seconds(9)) && !grace.covers(now + .seconds(10)))
    let none = StatusGrace(.zero)
    none.note(now)
    #expect(!none.covers(now))
  }

  @Test func `pods are checked four at a time`() async throws {
    try await with { plugins in
      try plugins.configure(plugins: ["bridge"])
      let network = try plugins.network()
      let pods = (0..<9).map { _ in attachment() }
      for pod in pods { _ = try await network.attach(pod) }
      try plugins.plan("bridge", "CHECK", Array(repeating: "held", count: 9))
      try Files.write("", to: plugins.directory + "/log/hold")
      let checks = Task {
        try await withThrowingTaskGroup { group in
          for pod in pods { group.addTask { try await network.check(pod.sandboxID) } }
          try await group.waitForAll()
        }
      }
      let running = { plugins.calls.filter { $0 == "bridge CHECK" }.count }
      #expect(try await eventually { running() == 4 })
      try Files.remove(plugins.directory + "/log/hold")
      try await checks.value
      #expect(running() == 9)
      await network.close()
    }
  }
}
