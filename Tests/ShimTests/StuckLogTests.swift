import CLinux
import Linux
import ShimAPI
import SwiftProtobuf
import Synchronization
import Testing

/// A log whose disk takes nothing for a while.
@Suite(.serialized) struct StuckLogTests {
  private func threads(of pod: TestPod) throws -> Int { try Files.list("/proc/\(pod.shim.pid)/task").count }

  /// Rotations until the thread that is stuck takes no word more.
  private func flood(_ pod: TestPod, _ id: String) async throws {
    let refused = Refusals()
    for _ in 0..<2000 { Task { await refused.note { try await Self.reopen(pod, id) } } }
    try await pod.eventually("it takes no more") { refused.count.load(ordering: .relaxed) > 0 }
  }

  private static func reopen(_ pod: TestPod, _ id: String) async throws {
    let _: Berth_Shim_V1_ReopenLogResponse = try await pod.pod("ReopenLog", Berth_Shim_V1_ReopenLogRequest.with { $0.id = id })
  }

  private final class Refusals: Sendable {
    let count = Atomic(0)

    func note(_ call: @Sendable () async throws -> Void) async {
      do { try await call() } catch { count.add(1, ordering: .relaxed) }
    }
  }

  @Test func `a thread that could not be told to end ends all the same once its disk is back`() async throws {
    try await TestPod.with { pod in
      let fifo = pod.scratch + "/fifo"
      try Fifo.make(fifo)
      let reader = try Fifo.both(fifo)
      let before = try threads(of: pod)
      var container = TestContainer.shell("seq 1 1000000")
      container.log = fifo
      let id = try await pod.create(container)
      try await pod.start(id)
      try await pod.eventually("the log is full") { reader.isFull() }
      try await flood(pod, id)
      try await pod.kill(id)
      #expect(try await pod.wait(id) == 137)
      try await pod.delete(id)
      #expect(try threads(of: pod) == before + 1)
      try await pod.eventually("the thread has ended") {
        reader.skip()
        return try threads(of: pod) == before
      }
    }
  }
}

extension FileHandle {
  /// Of a pipe.
  fileprivate borrowing func isFull() -> Bool { CLinux.write(raw, "\n", 1) < 0 }

  /// What is there is read.
  fileprivate borrowing func skip() {
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    while bytes.withUnsafeMutableBytes({ CLinux.read(raw, $0.baseAddress, $0.count) }) > 0 {}
  }
}
