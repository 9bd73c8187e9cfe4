import Core
import Linux

extension Pod {
  /// Gives a container's processors what its pod's annotations want, between its creation and its start. What went wrong in its creation is said by
  /// its start.
  nonisolated func tune(_ record: ContainerRecord) async throws {
    guard let keeper = services.processors else { return }
    guard let tuning = try services.settings.tuning(record, in: try ledger.sandbox(record.sandboxID)) else { return }
    guard (try? await awaitCgroup(record.id)) == true else { return }
    try await stage("processors") { try await keeper.apply(tuning, to: record.id, record.plan.cgroup) }
  }

  /// Puts back what ``tune(_:)`` changed, once the container has ended.
  nonisolated func untune(_ container: String) {
    guard let keeper = services.processors, keeper.isTuned(container) else { return }
    Task.detached { await keeper.restore(container) }
  }
}
