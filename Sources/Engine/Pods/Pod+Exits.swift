import Core
import Linux
import Logging

extension Pod {
  /// Watches a running container: its end is recorded and its remains in the runtime are deleted, whoever asks.
  @discardableResult
  func watchExit(of container: String, _ task: any PodTask) -> Flight<ExitRecord> {
    if let known = exits[container] { return known }
    let flight = Flight { [self] in
      let exit = try await task.wait(container)
      await settleAtLast(container, exit)
      await noteLogs(task)
      await releaseRuntime(container, task)
      return exit
    }
    exits[container] = flight
    if let record = try? ledger.container(container) { Task { await watchBlockedCalls(of: record) } }
    return flight
  }

  /// Runtime state, rootfs mount and cgroup of an ended container go at once; record, log and snapshot stay until it is removed.
  private func releaseRuntime(_ container: String, _ task: any PodTask) async {
    do {
      try await task.delete(container)
      noteDeleted(container)
    } catch {
      guard case .live = shim, !stopping else { return }
      logger.error("container \(container): deleting its task: \(Fault(error))")
    }
  }

  /// Waits for a container's end at most `nanoseconds`; `nil` where it still runs then.
  func exit(of container: String, within nanoseconds: Int64) async throws -> ExitRecord? {
    if let exit = try ledger.container(container).exit { return exit }
    guard let flight = exits[container] else { return nil }
    return try await withDeadline(nanoseconds) { try await flight.value() }
  }
}

/// `body`'s result, or `nil` where it takes longer than `nanoseconds`; it is cancelled then.
func withDeadline<T: Sendable>(_ nanoseconds: Int64, _ body: @escaping @Sendable () async throws -> T) async throws -> T? {
  try await withThrowingTaskGroup(of: T?.self) { group in
    group.addTask { try await body() }
    group.addTask {
      try await Task.sleep(nanoseconds: UInt64(max(0, nanoseconds)))
      return nil
    }
    defer { group.cancelAll() }
    return try await group.next() ?? nil
  }
}
