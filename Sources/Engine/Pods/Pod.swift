package import Core
import Linux
import Logging

/// One pod's ordered work: its shim, its watchers, and every change of its records. Reads go to the ``Ledger`` instead.
///
/// Re-entrant like any actor: state is looked at again after each await.
package actor Pod {
  enum Shim {
    /// Being started, or being found again after a restart of the daemon. May become `live` or `dead`.
    case arriving(Flight<any PodTask>)
    case live(any PodTask)
    /// Ended, on purpose or not.
    case dead
  }

  package nonisolated let id: String
  nonisolated let name: String
  /// Of its runtime handler.
  nonisolated let runtime: String
  nonisolated let services: PodServices
  nonisolated let logger: Logger
  /// Called once when the pod's records are gone.
  nonisolated let forget: @Sendable (String) -> Void

  var shim: Shim
  /// StopPodSandbox is at work: nothing new begins in the pod.
  var closing = false
  /// Its containers are gone, so that the shim's end is no accident.
  var stopping = false
  /// What the shim's death left behind is being cleared, or was.
  private var burial: Task<Void, Never>?
  /// Why it died.
  private var cause = "the pod's shim died"
  /// How each container's process ended, for whoever waits; made at create, found again by recovery.
  var exits: [String: Flight<ExitRecord>] = [:]
  /// Containers whose first stop signal was sent.
  var signalled: Set<String> = []
  /// Containers that have ended, while the runtime keeps something of them.
  var undeleted: Set<String> = []
  /// When a container's own shim said that its memory ran out; it runs still.
  var outOfMemory: [String: Int64] = [:]
  /// Bytes of output that each container's log lost, as far as it is known; none where none was.
  var logLosses: [String: UInt64] = [:]

  nonisolated let starts = Flights<String, Nothing, Void>()
  nonisolated let removals = Flights<String, Nothing, Void>()
  nonisolated let stops = Flights<String, Nothing, Void>()
  /// One change of a container's limits at a time.
  nonisolated let updates = KeyedLock<String>()
  nonisolated let creates = Flights<ContainerKey, ContainerRequest, String>()

  package init(
    record: SandboxRecord, services: PodServices, shim: Flight<any PodTask>, forget: @escaping @Sendable (String) -> Void
  ) {
    self.id = record.id
    self.name = record.podName
    self.services = services
    self.runtime = services.settings.handlerName(record.runtimeHandler)
    var logger = services.logger
    logger[metadataKey: "pod"] = "\(record.podName)"
    logger[metadataKey: "sandbox"] = "\(record.id)"
    self.logger = logger
    self.shim = .arriving(shim)
    self.forget = forget
  }

  nonisolated var ledger: Ledger { services.ledger }
  nonisolated var stages: Stages { services.stages }

  /// The live shim; FAILED_PRECONDITION where the pod has none any more.
  func task() async throws -> any PodTask {
    switch shim {
    case .live(let task): return task
    case .arriving(let flight):
      let task = try await flight.value()
      if case .arriving = shim { shim = .live(task) }
      return task
    case .dead: throw Fault(.failedPrecondition, "pod \(name): sandbox \(id) is not ready")
    }
  }

  /// The shim where there is one, without an error where there is none.
  func taskIfAlive() async -> (any PodTask)? { try? await task() }

  /// Begins to watch for the shim's end. Called once, when the sandbox is ready (again).
  func watch(_ task: any PodTask) {
    shim = .live(task)
    Task.detached { [self] in
      await task.awaitDeath()
      await self.shimEnded()
    }
    Task.detached { [self] in await watchLogLosses(task) }
    watchInfraContainer(task)
  }

  /// Its infra container has ended by itself: whatever is left of the pod (a machine that is gone) is no use to anybody.
  func infraContainerEnded() async {
    guard !stopping, case .live = shim else { return }
    cause = "the pod's infra container ended"
    logger.error("\(cause)")
    await buryShim()
  }

  private func shimEnded() async {
    guard !stopping, case .live = shim else { return }
    logger.error("the pod's shim, or what holds its namespaces, died")
    stages.metrics.add(.deadShims)
    await buryShim()
  }

  /// A shim that is dead by accident: kill what is left of its containers, write their ends, give the network back. Once; who asks again waits for that.
  func buryShim() async {
    shim = .dead
    if burial == nil { burial = Task { await self.clearAfterShim() } }
    await burial?.value
  }

  private func clearAfterShim() async {
    guard let record = try? ledger.sandbox(id) else { return }
    let plans = plans
    var isClear = true
    do { try await services.tasks.reap(record.plan, containers: plans) } catch {
      isClear = false
      logger.error("cleaning up after the shim: \(Fault(error))")
    }
    // Asked again: a start may have ended meanwhile.
    for container in ledger.containers(of: id) where container.exit == nil && container.state != .created {
      let exit = writtenExit(of: container.id) ?? .unseen("ShimDied", "\(cause); its containers were killed")
      await settleAtLast(container.id, exit)
    }
    for container in ledger.containers(of: id) where isClear { noteDeleted(container.id) }
    await detachNetwork()
    _ = try? ledger.updateSandbox(id) {
      $0.state = .notReady
      $0.holderPID = 0
      if !isClear { $0.remains = .ofDeadShim }
    }
  }

  func detachNetwork() async {
    guard let record = try? ledger.sandbox(id), record.attached else { return }
    do {
      let netns = Files.exists(record.plan.netnsPath) ? record.plan.netnsPath : nil
      try await stages.pod(.networkRelease, runtime) {
        try await traced("network.detach") { try await services.network.detach(id, netnsPath: netns) }
      }
      try ledger.updateSandbox(id) { $0.attached = false }
    } catch { logger.error("network: \(Fault(error))") }
  }

  /// As ``settle(_:_:)``, however long the store takes no writes: an end that nobody wrote down would be a container that runs for ever.
  func settleAtLast(_ container: String, _ exit: ExitRecord) async {
    var pause = Pause()
    while !settle(container, exit) { try? await Task.sleep(nanoseconds: UInt64(pause.next())) }
  }

  /// What the shim wrote of a container's end before it died.
  func writtenExit(of container: String) -> ExitRecord? {
    (try? ledger.sandbox(id)).flatMap { services.tasks.exitRecord(of: container, in: $0.plan) }
  }

  /// Writes a container's end once; the first record stays. False where it could not be written.
  @discardableResult
  func settle(_ container: String, _ exit: ExitRecord) -> Bool {
    guard let record = try? ledger.container(container), record.exit == nil else { return true }
    let exit = blamed(told(exit, of: record), of: container)
    do {
      try ledger.updateContainer(container) { $0.state = .exited(exit) }
    } catch {
      logger.error("container \(container): its end could not be recorded: \(Fault(error))")
      return false
    }
    untune(container)
    if exit.reason != "StartError" { undeleted.insert(container) }
    countOutOfMemory(record, exit)
    logger.info(
      "container ended",
      metadata: [
        "container": "\(container)", "name": "\(record.name)", "exitCode": "\(exit.exitCode)", "reason": "\(exit.reason)",
      ])
    return true
  }

  /// Nothing of an ended container is left in the runtime: told once.
  func noteDeleted(_ container: String) {
    guard undeleted.remove(container) != nil, let record = try? ledger.container(container) else { return }
    record.tellDeleted(ledger.exchange)
  }

  func countOutOfMemory(_ record: ContainerRecord, _ exit: ExitRecord) {
    guard exit.oomKilled else { return }
    stages.metrics.add(.oomKills)
    stages.metrics.add(.oomKillsByName, labels: [record.name])
  }
}
