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
        known = states.reduce(0) { $0 &+ $1.logBytesLost }
        note(losses: states)
      } catch {
        // A shim of an older version, which does not tell.
        if Fault(error).code == .unimplemented { return }
      }
      try? await Task.sleep(for: Self.lossInterval)
    }
  }

  /// Before a container is forgotten by its shim.
  func noteLosses(_ task: any PodTask) async {
    if let states = try? await task.states() { note(losses: states) }
  }

  private func note(losses states: [TaskState]) {
    for state in states where state.logBytesLost > 0 {
      if logLosses[state.id] == nil {
        let record = try? ledger.container(state.id)
        logger.warning(
          "output was lost: the container's log cannot be written",
          metadata: [
            "container": "\(state.id)", "name": "\(record?.name ?? "")", "log": "\(record?.plan.logPath ?? "")",
            "bytes": "\(state.logBytesLost)",
          ])
      }
      logLosses[state.id] = state.logBytesLost
    }
  }

  /// Now, where the container runs; as it was at its end, where it has ended.
  func lostLogBytes(_ container: String) async -> UInt64 {
    if case .live(let task) = shim { await noteLosses(task) }
    return logLosses[container] ?? 0
  }
}
