import Core
import Linux

extension Pod {
  /// Starts a created container. A command that cannot be run ends it: exit code 128, StartError.
  package nonisolated func startContainer(_ container: String) async throws {
    try await starts.join(container) { [self] in
      try await stage("container \(container)") { try await stages.container(.start, runtime) { try await startNow(container) } }
    }
  }

  private func startNow(_ container: String) async throws {
    let record = try ledger.container(container)
    switch record.state {
    case .running: return
    case .exited: throw Fault(.failedPrecondition, "has ended; it cannot be started again")
    case .created: try checkOpen()
    }
    do {
      let task = try await task()
      try await tune(record)
      let state = try await task.start(container)
      // A burial may have settled it meanwhile.
      guard case .created = try ledger.container(container).state else { throw Fault(.unavailable, "the pod's shim died") }
      try ledger.updateContainer(container) {
        $0.startedAt = state.startedAt
        $0.pid = state.pid
        $0.state = .running
      }
      watchExit(of: container, task)
    } catch {
      let fault = StartFailure(record).named(Fault(error))
      settle(
        container,
        ExitRecord(
          exitCode: 128, finishedAt: SystemClock.realtimeNanoseconds(), reason: "StartError", message: fault.message))
      if let task = await taskIfAlive() { try? await deleteTask(container, task) }
      throw fault
    }
  }

  /// Signal, wait at most `timeout` seconds, SIGKILL. Returns when the process is gone. Each caller's own timeout counts, the signal is sent once.
  package func stopContainer(_ container: String, timeout: Int64) async throws {
    guard let record = try? ledger.container(container), case .running = try await settled(record).state else { return }
    try await stage("container \(container): stop") {
      // A caller that goes away must not leave a container that got its first signal and never the second.
      do { try await Flight(span: .current) { try await self.timedEnd(record, timeout: timeout) }.value() } catch {
        guard try await endedWithItsShim(container, Fault(error)) else { throw error }
      }
    }
  }

  private func timedEnd(_ record: ContainerRecord, timeout: Int64) async throws {
    try await stages.container(.stop, runtime, expected: timeout) { try await end(record, timeout: timeout) }
  }

  private func end(_ record: ContainerRecord, timeout: Int64) async throws {
    let task = try await task()
    if timeout > 0, try await stopGently(record, task, timeout: timeout) { return }
    try await kill(record.id, task)
  }

  /// A call that failed because the shim died just now: the container ends with it, which is what was asked for.
  private func endedWithItsShim(_ container: String, _ fault: Fault) async throws -> Bool {
    switch shim {
    case .live(let task):
      guard fault.code == .unavailable, try await withDeadline(5_000_000_000, { await task.awaitDeath() }) != nil else { return false }
    case .dead: break
    case .arriving: return false
    }
    guard !stopping else { return false }
    await buryShim()
    return try ledger.container(container).exit != nil
  }

  /// A start under way is waited for, so that a stop never overtakes it.
  private func settled(_ record: ContainerRecord) async throws -> ContainerRecord {
    await starts.waitIfRunning(record.id)
    return try ledger.container(record.id)
  }

  private func stopGently(_ record: ContainerRecord, _ task: any PodTask, timeout: Int64) async throws -> Bool {
    if signalled.insert(record.id).inserted {
      do { try await signal(record.id, task, record.stopSignal, all: false) } catch {
        signalled.remove(record.id)
        throw error
      }
    }
    let (nanoseconds, overflow) = timeout.multipliedReportingOverflow(by: 1_000_000_000)
    return try await exit(of: record.id, within: overflow ? .max : nanoseconds) != nil
  }

  private func kill(_ container: String, _ task: any PodTask) async throws {
    try await signal(container, task, 9, all: true)
    guard try await exit(of: container, within: 60_000_000_000) != nil else {
      throw Fault(.deadlineExceeded, "the process did not end within 60 s of SIGKILL")
    }
  }

  /// A process that is gone already needs no signal.
  private func signal(_ container: String, _ task: any PodTask, _ number: Int32, all: Bool) async throws {
    do { try await task.kill(container, signal: number, all: all) } catch let fault as Fault where fault.code == .notFound {}
  }

  /// Kills where it runs, deletes task, snapshot, bundle and record. Idempotent; callers at once join.
  package nonisolated func removeContainer(_ container: String) async throws {
    try await removals.join(container) { [self] in
      try await stage("container \(container): remove") { try await removeContainerNow(container) }
    }
  }

  private func removeContainerNow(_ container: String) async throws {
    guard let record = try? ledger.container(container) else { return }
    try await stopContainer(container, timeout: 0)
    let task = await taskIfAlive()
    try await stages.container(.remove, runtime) { try await clear(record, task) }
  }

  /// Task, mounts, snapshot, bundle and record of a container that does not run.
  func clear(_ record: ContainerRecord, _ task: (any PodTask)?) async throws {
    let container = record.id
    if let task { try await deleteTask(container, task) }
    try await stage("mounts") { try await ContainerMounts.unmount(record.plan.bundle) }
    try await traced("snapshot.remove") { try await services.snapshots.remove(container) }
    try await stage("bundle") { try await BlockingWork.run { try Files.removeTree(record.plan.bundle) } }
    if record.plan.blockedCalls != nil { try SeccompLink(state: services.settings.state, container: container).remove() }
    noteDeleted(container)
    try ledger.removeContainer(container)
    exits[container] = nil
    signalled.remove(container)
    outOfMemory[container] = nil
    services.logTotals.forget(container)
  }

  /// A start that failed on this side only, or that a killed daemon could not record, left a process behind: it goes first.
  func deleteTask(_ container: String, _ task: any PodTask) async throws {
    do { try await task.delete(container) } catch let fault as Fault where fault.code == .failedPrecondition {
      try await signal(container, task, 9, all: true)
      _ = try await withDeadline(60_000_000_000) { try await task.wait(container) }
      try await task.delete(container)
    }
    noteDeleted(container)
  }

  package func reopenLog(_ container: String) async throws {
    guard case .running = try ledger.container(container).state else {
      throw Fault(.failedPrecondition, "container \(container): is not running")
    }
    try await stage("container \(container): log") { try await task().reopenLog(container) }
  }
}
