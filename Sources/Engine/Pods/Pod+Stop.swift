import Core
import Linux
import Logging

extension Pod {
  /// Ends all containers, gives the network back, ends the shim. Idempotent; callers at once join.
  package nonisolated func stop() async throws {
    try await stops.join(id) { [self] in try await stage("pod \(name): stop") { try await stopNow() } }
  }

  private func stopNow() async throws {
    guard try ledger.sandbox(id).state != .notReady else { return }
    closing = true
    defer { closing = stopping }
    try await stages.pod(.stop, runtime) { try await stopInOrder() }
    logger.info("sandbox stopped")
  }

  private func stopInOrder() async throws {
    // A shim that has not been found again by then is ended like one that is dead.
    let task = try await withDeadline(30_000_000_000) { await self.taskIfAlive() } ?? nil
    if let task { try await stages.pod(.containers, runtime) { try await endContainers(task) } }
    stopping = true
    if let task { await endInfraContainer(task) }
    await detachNetwork()
    try await traced("shim.end") {
      if let task { try await stages.pod(.shimEnd, runtime) { try await endShim(task) } } else { await buryShim() }
    }
    try await stage("files") { try await SandboxFiles(ledger.sandbox(id).plan).unmount() }
    try ledger.updateSandbox(id) {
      $0.state = .notReady
      $0.holderPID = 0
    }
  }

  private func endContainers(_ task: any PodTask) async throws {
    let live = ledger.containers(of: id).filter { $0.exit == nil }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for container in live { group.addTask { try await self.stopContainer(container.id, timeout: 0) } }
      try await group.waitForAll()
    }
    for container in live where container.state == .created { try await deleteTask(container.id, task) }
  }

  /// What does not end by asking is killed through its cgroup.
  private func endShim(_ task: any PodTask) async throws {
    shim = .dead
    do { try await task.shutdown() } catch {
      logger.error("shim: \(Fault(error))")
      try await services.tasks.reap(ledger.sandbox(id).plan, containers: plans)
    }
  }

  /// Stops, removes every container, then the sandbox's own directory and records. Idempotent; callers at once join.
  package nonisolated func remove() async throws {
    try await removals.join(id) { [self] in
      try await stop()
      try await stage("pod \(name): remove") { try await stages.pod(.remove, runtime) { try await removeNow() } }
    }
  }

  private func removeNow() async throws {
    for container in ledger.containers(of: id) { try await removeContainer(container.id) }
    let record = try ledger.sandbox(id)
    if record.remains != nil {
      await detachNetwork()
      try await stage("remains") { try await services.tasks.reap(record.plan, containers: plans) }
    }
    try await stage("files") { try await SandboxFiles(record.plan).remove() }
    try ledger.removeSandbox(id)
    forget(id)
    logger.info("sandbox removed")
  }
}
