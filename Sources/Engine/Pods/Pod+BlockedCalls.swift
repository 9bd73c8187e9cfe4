import Core
import Linux
import Logging

/// When a container that tries blocked system calls is to be stopped: once it has been quiet for a while, so that its status can name them all; or after a
/// longer one, should it never be.
package struct BlockedCallPatience: Sendable {
  /// Nanoseconds.
  private static let quiet: Int64 = 5_000_000_000
  private static let limit: Int64 = 30_000_000_000

  private var count: UInt64 = 0
  private var first: Int64 = 0
  private var last: Int64 = 0

  package init() {}

  /// - Parameters: `count` is of all calls until `now`, a monotonic time.
  package mutating func isOver(_ count: UInt64, now: Int64) -> Bool {
    if count != self.count {
      if self.count == 0 { first = now }
      (self.count, last) = (count, now)
    }
    return count > 0 && (now - last >= Self.quiet || now - first >= Self.limit)
  }
}

extension Pod {
  private static let interval: UInt64 = 1_000_000_000

  /// Stops the container some time after it has tried a system call that its profile blocks. Begins anew after a restart of the daemon: the counts are
  /// kept by another process.
  func watchBlockedCalls(of record: ContainerRecord) async {
    guard record.plan.blockedCalls == .stop else { return }
    let calls = BlockedCalls(bundle: record.plan.bundle)
    var patience = BlockedCallPatience()
    while (try? ledger.container(record.id).exit == nil) == true {
      try? await Task.sleep(nanoseconds: Self.interval)
      let counts = calls.counts()
      guard patience.isOver(counts.values.reduce(0, &+), now: SystemClock.monotonicNanoseconds()) else { continue }
      do { try await stopForBlockedCalls(record.id, counts) } catch { logger.error("container \(record.id): \(Fault(error))") }
    }
  }

  private func stopForBlockedCalls(_ container: String, _ counts: [String: UInt64]) async throws {
    guard case .running = try ledger.container(container).state else { return }
    logger.warning("container \(container): stopped for system calls that its seccomp profile blocks: \(BlockedCalls.describe(counts))")
    try ledger.updateContainer(container) { $0.isStoppedForCalls = true }
    try await stopContainer(container, timeout: 0)
  }

  /// The end of a container that was stopped for what it tried.
  nonisolated func told(_ exit: ExitRecord, of record: ContainerRecord) -> ExitRecord {
    guard record.isStoppedForCalls == true, exit.reason.isEmpty else { return exit }
    var exit = exit
    exit.reason = "seccomp killed"
    exit.message = "Used forbidden syscalls: " + BlockedCalls.describe(BlockedCalls(bundle: record.plan.bundle).counts())
    return exit
  }
}
