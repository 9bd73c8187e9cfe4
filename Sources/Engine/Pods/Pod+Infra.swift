import Core
import Logging

/// The container that stands for the pod itself, where its runtime handler wants one.
extension Pod {
  /// Of everything that the shim may have of this pod.
  var plans: [ContainerPlan] {
    ledger.containers(of: id).map(\.plan) + ((try? ledger.sandbox(id))?.infra.map { [$0] } ?? [])
  }

  private var hasInfraContainer: Bool { (try? ledger.sandbox(id))?.infra != nil }

  /// A shim that dies is noticed by itself.
  func watchInfraContainer(_ task: any PodTask) {
    guard hasInfraContainer else { return }
    Task.detached { [self] in
      guard (try? await task.wait(id)) != nil else { return }
      await infraContainerEnded()
    }
  }

  /// The last of its containers. What does not end goes with the shim.
  func endInfraContainer(_ task: any PodTask) async {
    guard hasInfraContainer else { return }
    do { try await InfraContainer.end(id, task) } catch { logger.error("infra container: \(Fault(error))") }
  }

  /// After a restart of the daemon.
  func checkInfraContainer(_ states: [TaskState]) throws(Fault) {
    guard hasInfraContainer else { return }
    guard case .running? = states.first(where: { $0.id == id })?.phase else {
      throw Fault(.failedPrecondition, "its infra container does not run any more")
    }
  }
}
