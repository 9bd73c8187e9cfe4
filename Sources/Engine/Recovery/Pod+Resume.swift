import Core
import Linux
import Logging

extension Pod {
  /// After a restart of the daemon: finds the shim again and brings the records in line with what it says; a shim that is gone is buried.
  /// Calls on the pod that need the shim wait for ``Arrival``, which is told when all is in line.
  /// - Parameter records: the pod's containers before any call was taken.
  func resume(_ records: [ContainerRecord], telling arrival: Arrival) async {
    do {
      let task = try await adopted()
      let states = try await states(task)
      services.logTotals.note(states, isNew: false)
      guard case .arriving = shim else { throw Fault(.failedPrecondition, "pod \(name): was stopped") }
      try checkInfraContainer(states)
      for record in records { await reconcile(record, states.first { $0.id == record.id }, task) }
      for state in states where state.id != id && (try? ledger.container(state.id)) == nil { try? await task.delete(state.id) }
      watch(task)
      arrival.tell(.success(task))
      logger.info("found the pod again", metadata: ["shim": "\(task.shimPID)", "containers": "\(states.count)"])
      await checkNetwork()
    } catch {
      logger.error("the pod's shim is gone: \(Fault(error))")
      if case .arriving = shim { stages.metrics.add(.deadShims) }
      await buryShim()
      arrival.tell(.failure(error))
    }
  }

  /// A shim that does not answer is asked again for as long as it lives: one that is stuck with its pod's limits still has the pod.
  private func adopted() async throws -> any PodTask {
    try await Pause.betweenAttempts {
      try await services.tasks.adopt(try ledger.sandbox(id).plan)
    } failed: { fault in
      guard fault.code != .notFound, case .arriving = shim else { throw fault }
      logger.warning("the pod's shim does not answer, it is asked again: \(fault)")
    }
  }

  private func states(_ task: any PodTask) async throws -> [TaskState] {
    var pause = Pause()
    while true {
      do { return try await task.states() } catch {
        guard case .arriving = shim, try await withDeadline(pause.next(), { await task.awaitDeath() }) == nil else { throw error }
        logger.warning("the pod's shim does not answer, it is asked again: \(Fault(error))")
      }
    }
  }

  /// What the plugins think of the pod's network after a restart: worth a line, not the pod.
  private func checkNetwork() async {
    guard let record = try? ledger.sandbox(id), record.attached else { return }
    do { try await services.network.check(id) } catch { logger.warning("the pod's network is not as it was made: \(Fault(error))") }
  }

  private func reconcile(_ record: ContainerRecord, _ state: TaskState?, _ task: any PodTask) async {
    switch (record.state, state?.phase) {
    case (.exited, _):
      if state != nil { undeleted.insert(record.id) }
      await deleteEnded(record.id, task)
    case (_, .stopped(let exit)):
      await settleAtLast(record.id, exit)
      await deleteEnded(record.id, task)
    case (_, .running): markRunning(record, state, task)
    case (.created, .creating), (.created, .created): break
    case (.created, nil): await dropInterrupted(record, task)
    case (.running, _):
      await settleAtLast(record.id, writtenExit(of: record.id) ?? .unseen("Unknown", "the shim does not know the container any more"))
    }
  }

  private func deleteEnded(_ container: String, _ task: any PodTask) async {
    if (try? await task.delete(container)) != nil { noteDeleted(container) }
  }

  private func markRunning(_ record: ContainerRecord, _ state: TaskState?, _ task: any PodTask) {
    if record.state == .created, let state {
      _ = try? ledger.updateContainer(record.id) {
        $0.startedAt = state.startedAt
        $0.pid = state.pid
        $0.state = .running
      }
    }
    watchExit(of: record.id, task)
  }

  /// A CreateContainer that never answered.
  private func dropInterrupted(_ record: ContainerRecord, _ task: any PodTask) async {
    do {
      try await clear(record, task)
      logger.info("removed the leftovers of an interrupted create", metadata: ["container": "\(record.id)"])
    } catch { logger.error("container \(record.id): \(Fault(error))") }
  }
}
