import Core
import Linux
import Logging

/// Output that a log lost is told: once in the daemon's log, and the count to whoever asks.
extension Pod {
  /// A full disk loses something with every write.
  private static let lossInterval = Duration.seconds(5)

  /// Until the shim is dead.
  func watchLogLosses(_ task: any PodTask) async {
    var known: UInt64 = 0
    while case .live = shim {
      do {
        let states = try await task.logLoss(beyond: known)
        known = states.reduce(0) { $0 &+ $1.log.lost }
        note(logs: states)
      } catch {
        // A shim of an older version, which does not tell.
        if Fault(error).code == .unimplemented { return }
      }
      try? await Task.sleep(for: Self.lossInterval)
    }
  }

  /// Before a container is forgotten by its shim.
  func noteLogs(_ task: any PodTask) async {
    if let states = try? await task.states() { note(logs: states) }
  }

  /// Now, where the pod has a shim that was found.
  func noteLogs() async { if case .live(let task) = shim { await noteLogs(task) } }

  private func note(logs states: [TaskState]) {
    // A container that is not recorded any more was forgotten with its figures.
    services.logTotals.note(states.filter { (try? ledger.container($0.id)) != nil })
    for state in states where state.log.lost > 0 {
      if logLosses[state.id] == nil {
        let record = try? ledger.container(state.id)
        logger.warning(
          "output was lost: the container's log cannot be written",
          metadata: [
            "container": "\(state.id)", "name": "\(record?.name ?? "")", "log": "\(record?.plan.logPath ?? "")",
            "bytes": "\(state.log.lost)",
          ])
      }
      logLosses[state.id] = state.log.lost
    }
  }

  /// Now, where the container runs; as it was at its end, where it has ended.
  func lostLogBytes(_ container: String) async -> UInt64 {
    await noteLogs()
    return logLosses[container] ?? 0
  }
}
