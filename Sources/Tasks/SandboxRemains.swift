import Core
import Linux
import Logging

/// What a sandbox leaves on the machine besides its directory, and how it is taken away: after a stop, a shim's death, or a start that failed.
/// Every step is tried, whatever became of the others; what is gone already is no failure.
struct SandboxRemains: Sendable {
  let plan: SandboxPlan
  var containers: [ContainerPlan] = []
  let cgroups: CgroupTree
  let limits: ShimLimits
  let logger: Logger

  private var files: ShimFiles { ShimFiles(directory: plan.directory) }

  /// `graceful`: the shim was asked to go, and is given a moment.
  func clear(graceful: Bool) async throws(Fault) {
    let state = try? ShimState.load(files)
    await endShim(state, graceful)
    await killEverything()
    await forceDelete()
    let failures = await BlockingWork.run { release(state) }
    guard let first = failures.first else { return }
    for failure in failures.dropFirst() { logger.error("sandbox \(plan.id): left behind: \(failure)") }
    throw Fault(first).within("clearing up")
  }

  private func endShim(_ state: ShimState?, _ graceful: Bool) async {
    guard let process = state?.process() else { return }
    if graceful, await process.ended(within: limits.farewell) { return }
    process.kill()
    _ = await process.ended(within: limits.farewell)
  }

  private func killEverything() async {
    let groups = (containers.map(\.cgroup) + [plan.cgroup]).compactMap { try? Cgroup($0, in: cgroups) }
    await BlockingWork.run {
      for group in groups {
        let left = group.kill()
        if !left.isEmpty { logger.error("sandbox \(plan.id): processes that do not die: \(left.sorted())") }
      }
    }
  }

  private func forceDelete() async {
    await withDiscardingTaskGroup { group in
      for container in containers where container.id != plan.id { group.addTask { await forceDelete(container) } }
    }
    // The one that stands for the pod: with it goes what the others ran in.
    for container in containers where container.id == plan.id { await forceDelete(container) }
  }

  /// Its containers are run by another's shim.
  private var isForeign: Bool { plan.runtimeEnvironment.contains { $0.hasPrefix("BERTH_V2_SHIM=") } }

  /// The runtime's own clearing up. It may be missing, fail or hang: what matters is done by us afterwards.
  private func forceDelete(_ container: ContainerPlan) async {
    guard Files.exists("\(container.runtimeRoot)/\(container.id)") else { return }
    do {
      let output = try await Command.run(
        container.runtime, ["--root", container.runtimeRoot, "delete", "--force", container.id],
        environment: plan.runtimeEnvironment, timeout: isForeign ? limits.foreignDelete : limits.forcedDelete)
      if output.succeeded { return }
      logger.warning("container \(container.id): \(container.runtime) delete: \(output.ending): \(output.errorText)")
    } catch {
      logger.warning("container \(container.id): \(container.runtime) delete: \(error)")
    }
  }

  /// Mounts, cgroups, files. Returns what could not be removed.
  private func release(_ state: ShimState?) -> [SystemError] {
    var failures: [SystemError] = []
    func attempt(_ step: () throws(SystemError) -> Void) {
      do throws(SystemError) { try step() } catch { failures.append(error) }
    }
    attempt { () throws(SystemError) in try Mounts.unmountAll(below: plan.directory) }
    if plan.ownNetwork && !plan.netnsPath.isEmpty {
      attempt { () throws(SystemError) in try Mounts.unmountIfMounted(plan.netnsPath) }
      attempt { () throws(SystemError) in try Files.remove(plan.netnsPath) }
    }
    for path in containers.map(\.cgroup) + [plan.cgroup] {
      attempt { () throws(SystemError) in try (try? Cgroup(path, in: cgroups))?.remove() }
    }
    Cgroup.removeEmpty(state?.cgroups ?? [])
    attempt { () throws(SystemError) in try files.remove() }
    return failures
  }
}
