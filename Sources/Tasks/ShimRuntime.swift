package import Core
package import Linux
package import Logging

/// Pods run by berth-shim, one process each.
package struct ShimRuntime: TaskRuntime {
  /// Path of the berth-shim program.
  let shim: String
  let cgroups: CgroupTree
  let logger: Logger
  var limits = ShimLimits()

  package init(shim: String, cgroups: CgroupTree, logger: Logger) {
    self.shim = shim
    self.cgroups = cgroups
    self.logger = logger
  }

  package func start(_ plan: SandboxPlan) async throws -> any PodTask {
    do { return try await ShimStart(runtime: self, plan: plan).run() } catch {
      // That a file of ours is missing is no answer to whether the pod exists.
      let fault = Fault(error).within("shim")
      throw fault.code == .notFound ? Fault(.internal, fault.message, cause: fault) : fault
    }
  }

  package func adopt(_ plan: SandboxPlan) async throws -> any PodTask {
    let files = ShimFiles(directory: plan.directory)
    guard let state = try? ShimState.load(files), let process = state.process() else {
      throw Fault(.notFound, "shim of sandbox \(plan.id): not running")
    }
    let client = ShimClient(files, process, limits)
    do {
      _ = try await client.list()
    } catch {
      guard process.hasEnded else { throw error }
      throw Fault(.notFound, "shim of sandbox \(plan.id): not running", cause: error)
    }
    return try ShimPod(plan, holder: state.holder, client, remains(plan))
  }

  package func exitRecord(of container: String, in plan: SandboxPlan) -> ExitRecord? {
    ShimFiles(directory: plan.directory).exitRecord(container)
  }

  package func reap(_ plan: SandboxPlan, containers: [ContainerPlan]) async throws {
    try await remains(plan, containers).clear(graceful: false)
  }

  func remains(_ plan: SandboxPlan, _ containers: [ContainerPlan] = []) -> SandboxRemains {
    SandboxRemains(plan: plan, containers: containers, cgroups: cgroups, limits: limits, logger: logger)
  }
}
