import Core
import Linux
import Support
import Testing

@testable import CNI

struct DetachRetryTests {
  private func withPlugins(_ body: (FakePlugins) async throws -> Void) async throws {
    try await withScratch("cni") { directory in
      let plugins = try FakePlugins(directory)
      try plugins.configure(plugins: ["bridge", "tuner"])
      try await body(plugins)
    }
  }

  @Test func aFailedDetachIsVisibleAndTriedAgainUntilItSucceeds() async throws {
    try await withPlugins { plugins in
      try plugins.plan("bridge", "DEL", ["fail", "fail", "fail"])
      let network = try plugins.network { $0.retryDelay = .milliseconds(100) }
      let pod = attachment()
      _ = try await network.attach(pod)
      try await network.detach(pod.sandboxID, netnsPath: pod.netnsPath)
      #expect(
        network.pending() == [
          PendingDetach(sandboxID: pod.sandboxID, attempts: 1, lastError: #"plugin "bridge" DEL: no such bridge: br0 is gone"#)
        ])
      #expect(try network.attachments().isEmpty && network.result(pod.sandboxID) == nil)
      #expect(try Files.list(plugins.directory + "/root/cni/pending") == ["\(pod.sandboxID).json"])
      #expect(try await eventually { network.pending().isEmpty })
      #expect(plugins.calls.filter { $0 == "bridge DEL" }.count == 4)
      #expect(try Files.list(plugins.directory + "/root/cni/pending").isEmpty)
      await network.close()
    }
  }

  @Test func aFailedDetachIsTakenUpByTheNextProcess() async throws {
    try await withPlugins { plugins in
      try plugins.plan("tuner", "DEL", ["fail"])
      let first = try plugins.network { $0.retryDelay = .seconds(1000) }
      let pod = attachment()
      _ = try await first.attach(pod)
      try await first.detach(pod.sandboxID, netnsPath: nil)
      await first.close()
      let second = try plugins.network()
      #expect(try await eventually { second.pending().isEmpty })
      #expect(plugins.calls.suffix(2) == ["tuner DEL", "bridge DEL"])
      #expect(try plugins.input("bridge", "DEL")["prevResult"] != nil)
      await second.close()
    }
  }

  @Test func pluginsThatVanishedAreWaitedFor() async throws {
    try await withPlugins { plugins in
      let network = try plugins.network()
      let pod = attachment()
      _ = try await network.attach(pod)
      try Files.move(plugins.directory + "/bin", to: plugins.directory + "/away")
      Scratch.remove(plugins.directory + "/conf")
      try await network.detach(pod.sandboxID, netnsPath: nil)
      #expect(network.pending().first?.lastError.contains("not found in") == true)
      try Files.move(plugins.directory + "/away", to: plugins.directory + "/bin")
      #expect(try await eventually { network.pending().isEmpty })
      await network.close()
    }
  }

  @Test func aFailedUndoOfAFailedAttachmentIsTriedAgain() async throws {
    try await withPlugins { plugins in
      try plugins.plan("tuner", "ADD", ["fail"])
      try plugins.plan("tuner", "DEL", ["stderr"])
      let network = try plugins.network()
      let error = await #expect(throws: Fault.self) { try await network.attach(attachment()) }
      #expect(error?.message.contains("tuner\" ADD") == true, "the attachment's own error is told")
      #expect(try await eventually { network.pending().isEmpty })
      #expect(plugins.calls == ["bridge ADD", "tuner ADD", "tuner DEL", "tuner DEL", "bridge DEL"])
      await network.close()
    }
  }

  @Test func attachingAgainSettlesTheFailedDetachFirst() async throws {
    try await withPlugins { plugins in
      try plugins.plan("bridge", "DEL", ["fail", "fail"])
      let network = try plugins.network { $0.retryDelay = .seconds(1000) }
      let pod = attachment()
      _ = try await network.attach(pod)
      try await network.detach(pod.sandboxID, netnsPath: nil)
      let error = await #expect(throws: Fault.self) { try await network.attach(pod) }
      #expect(error?.code == .unavailable)
      #expect(error?.message.hasPrefix("network: an earlier detach has not finished: plugin \"bridge\" DEL") == true)
      _ = try await network.attach(pod)
      #expect(network.pending().isEmpty)
      try await network.detach(pod.sandboxID, netnsPath: nil)
      await network.close()
    }
  }

  @Test func aHangingDetachEndsAtItsLimitAndOthersGoOnMeanwhile() async throws {
    try await withPlugins { plugins in
      try plugins.plan("bridge", "DEL", ["hang"])
      let network = try plugins.network { $0.deleteLimit = .milliseconds(1500) }
      let (stuck, free) = (attachment(), attachment())
      _ = try await network.attach(stuck)
      _ = try await network.attach(free)
      async let slow: Void = network.detach(stuck.sandboxID, netnsPath: nil)
      #expect(try await eventually { plugins.calls.last == "bridge DEL" })
      try await network.detach(free.sandboxID, netnsPath: nil)
      #expect(try network.attachments() == [stuck.sandboxID])
      try await slow
      #expect(try await eventually { network.pending().isEmpty })
      await network.close()
    }
  }

  @Test func theDelayDoublesUpToFiveMinutes() {
    let retries = DetachRetries(firstDelay: .seconds(1)) { _ in nil }
    #expect([0, 1, 2, 3, 9, 10, 1000].map { retries.delay($0) } == [1, 1, 2, 4, 256, 300, 300].map { .seconds($0) })
  }
}
