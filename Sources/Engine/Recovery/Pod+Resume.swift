import Core
import Linux
import Logging

extension Pod {
  /// After a restart of the daemon: finds the shim again and brings the records in line with what it says; a shim that is gone is buried.
  func resume() async {
    do {
      let task = try await task()
      let states = try await task.states()
      for record in ledger.containers(of: id) { await reconcile(record, states.first { $0.id == record.id }, task) }
      for state in states where (try? ledger.container(state.id)) == nil { try? await task.delete(state.id) }
      watch(task)
      await checkNetwork()
      logger.info("found the pod again", metadata: ["shim": "\(task.shimPID)", "containers": "\(states.count)"])
    } catch {
      logger.error("the pod's shim is gone: \(Fault(error))")
      await buryShim()
    }
  }

  /// What the plugins think of the pod's network after a restart: worth a line, not the pod.
  private func checkNetwork() async {
    guard let record = try? ledger.sandbox(id), record.attached else { return }
    do { try await services.network.check(id) } catch { logger.warning("the pod's network is not as it was made: \(Fault(error))") }
  }

  private func reconcile(_ record: ContainerRecord, _ state: TaskState?, _ task: any PodTask) async {
    switch (record.state, state?.phase) {
    case (.exited, _): try? await task.delete(record.id)
    case (_, .stopped(let exit)):
      settle(record.id, exit)
      try? await task.delete(record.id)
    case (_, .running): markRunning(record, state, task)
    case (.created, .creating), (.created, .created): break
    case (.created, nil): await dropInterrupted(record)
    case (.running, _):
      settle(
        record.id,
        ExitRecord(
          exitCode: 255, finishedAt: SystemClock.realtimeNanoseconds(), reason: "Unknown",
          message: "the shim does not know the container any more"))
    }
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
  private func dropInterrupted(_ record: ContainerRecord) async {
    do {
      try await removeContainer(record.id)
      logger.info("removed the leftovers of an interrupted create", metadata: ["container": "\(record.id)"])
    } catch { logger.error("container \(record.id): \(Fault(error))") }
  }
}
