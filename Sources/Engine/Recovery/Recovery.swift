import Core
import Linux
import Logging

/// Brings an earlier daemon's pods back. Never fatal: what is damaged affects only its own object, and everything slow happens after the
/// daemon serves; calls on a pod that is still being found wait for it.
package struct Recovery: Sendable {
  let pods: PodService

  package init(_ pods: PodService) { self.pods = pods }

  private var services: PodServices { pods.services }
  private var ledger: Ledger { pods.ledger }

  /// Loads the records and begins to look for the shims. Quick: probes no process itself.
  /// - Parameter newEpoch: nothing of the records can be alive.
  package func begin(newEpoch: Bool) throws {
    try ledger.load()
    if newEpoch { try declareDead() }
    for record in ledger.sandboxes() {
      switch record.state {
      case .creating: rollBack(record)
      case .ready: adopt(record)
      case .notReady where record.remains == .ofFailedStart: pods.clearAway(record)
      case .notReady: pods.add(deadPod(record))
      }
    }
    let leftovers = Leftovers(services)
    Task.detached { await tracedApart("recovery.sweep") { await sweep(leftovers) } }
  }

  /// After a reboot: pods stay listed as NotReady, containers as Exited; how they ended is not known.
  private func declareDead() throws {
    for container in ledger.containers() where container.exit == nil {
      try ledger.updateContainer(container.id) {
        $0.state = .exited(.unseen("NodeRestarted", "the node was restarted while the container ran"))
      }
    }
    for sandbox in ledger.sandboxes() where sandbox.state == .ready {
      try ledger.updateSandbox(sandbox.id) {
        $0.state = .notReady
        $0.holderPID = 0
      }
    }
  }

  private func deadPod(_ record: SandboxRecord) -> Pod {
    let pod = pods.deadPod(record)
    if record.attached { Task.detached { await pod.detachNetwork() } }
    return pod
  }

  /// The intent of a RunPodSandbox that never answered: everything it may have made goes.
  private func rollBack(_ record: SandboxRecord) {
    Task.detached { [self] in
      var rollback = Rollback()
      rollback.add("directory") { try await SandboxFiles(record.plan).remove() }
      if record.attached { rollback.add("network") { try await detach(record.id) } }
      rollback.add("shim") { try await services.tasks.reap(record.plan, containers: record.infra.map { [$0] } ?? []) }
      let isClear = await rollback.run(services.logger)
      pods.takeBack(record, isClear: isClear)
      if isClear { services.logger.info("rolled back an interrupted sandbox", metadata: ["sandbox": "\(record.id)"]) }
    }
  }

  private func adopt(_ record: SandboxRecord) {
    let arrival = Arrival()
    let pod = Pod(record: record, services: services, shim: arrival.flight) { [pods] in pods.forget($0) }
    pods.add(pod)
    let containers = ledger.containers(of: record.id)
    Task.detached { await tracedApart("recovery.pod", .sandbox(record)) { await pod.resume(containers, telling: arrival) } }
  }

  /// What no record owns is an interrupted call's leftover.
  private func sweep(_ leftovers: Leftovers) async {
    for id in leftovers.sandboxes {
      await attempt("sandbox directory \(id)") {
        let plan = SandboxPlan(id: id, directory: services.settings.sandboxDirectory(id))
        try await services.tasks.reap(plan, containers: [])
        try await SandboxFiles(plan).remove()
      }
    }
    for link in leftovers.seccompLinks {
      await attempt("seccomp \(link)") { try SeccompLink(state: services.settings.state, container: link).remove() }
    }
    for key in leftovers.snapshots { await attempt("snapshot \(key)") { try await services.snapshots.remove(key) } }
    for id in leftovers.attachments {
      await attempt("network attachment \(id)") { try await detach(id) }
    }
    await services.processors?.restore(except: Set(ledger.containers().filter { $0.exit == nil }.map(\.id)))
    await attempt("network") { try await services.network.collectGarbage() }
  }

  /// What an earlier daemon may still have been attaching when it was killed.
  private func detach(_ sandboxID: String) async throws {
    await services.network.endOrphans(of: sandboxID)
    try await services.network.detach(sandboxID, netnsPath: nil)
  }

  private func attempt(_ what: String, _ body: () async throws -> Void) async {
    do { try await body() } catch { services.logger.error("recovery: \(what): \(Fault(error))") }
  }
}

/// Found before the daemon serves, so that nothing that is just being made is taken for a leftover.
private struct Leftovers: Sendable {
  let sandboxes: [String]
  let snapshots: [String]
  let attachments: [String]
  let seccompLinks: [String]

  init(_ services: PodServices) {
    let pods = Set(services.ledger.sandboxes().map(\.id))
    let containers = Set(services.ledger.containers().filter { $0.exit?.reason != "NodeRestarted" }.map(\.id))
    sandboxes = ((try? Files.list(services.settings.state + "/sandboxes")) ?? []).filter { !pods.contains($0) }
    seccompLinks = SeccompLink.leftovers(in: services.settings.state, beside: containers)
    snapshots = ((try? services.snapshots.list()) ?? []).filter { !containers.contains($0) }
    attachments = ((try? services.network.attachments()) ?? []).filter { !pods.contains($0) }
  }
}
