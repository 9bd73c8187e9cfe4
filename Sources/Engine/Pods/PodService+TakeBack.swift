import Core
import Logging

extension PodService {
  /// Ends the record of a RunPodSandbox that did not succeed. Where something of it could not be taken away, the sandbox is listed as not ready: for
  /// whoever wants to see or remove it, and so that the next attempt is free.
  /// - Parameter isClear: nothing is left of what it made.
  func takeBack(_ record: SandboxRecord, isClear: Bool) {
    if isClear {
      do { return try ledger.removeSandbox(record.id) } catch { services.logger.error("rollback: record: \(Fault(error))") }
    }
    var left = record
    (left.state, left.remains, left.holderPID) = (.notReady, .ofFailedStart, 0)
    do { try ledger.put(left) } catch { services.logger.error("rollback: record: \(Fault(error))") }
    clearAway(left)
  }

  /// Tries until nothing is left of a sandbox that failed, or somebody has removed it.
  func clearAway(_ record: SandboxRecord) {
    let pod = deadPod(record)
    add(pod)
    Task.detached { [ledger] in
      try await Pause.betweenAttempts {
        try await pod.remove()
      } failed: { fault in
        guard (try? ledger.sandbox(record.id)) != nil else { throw fault }
        pod.logger.error("what is left of a sandbox that failed stays for now: \(fault)")
      }
    }
  }

  /// A pod without a shim: stopped, of another epoch, or never ready.
  func deadPod(_ record: SandboxRecord) -> Pod {
    let name = record.podName
    return Pod(record: record, services: services, shim: Flight { throw Fault(.failedPrecondition, "pod \(name): is not ready") }) {
      [self] in forget($0)
    }
  }
}
